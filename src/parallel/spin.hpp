// Waiting for something that is about to happen.
#pragma once
#include <thread>

namespace halfstep::internal {

// Steps follow each other within microseconds: a sleeping thread would wake too late, a spinning one holds a core. So
// they spin for some 50 to 100 microseconds.
inline constexpr int kSpins = 4000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Whether `done()` came true meanwhile.
template <class F>
bool spin_until(F done) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (done()) return true;
    pause();
  }
  return done();
}

// For what cannot take long, unless the thread that does it has lost its core: then this one lends its own.
template <class F>
void yield_until(F done) {
  while (!spin_until(done)) std::this_thread::yield();
}

}  // namespace halfstep::internal
