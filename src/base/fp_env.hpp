// The floating-point environment of every task: round to nearest even, subnormals flushed to zero, no traps.
// Hosts and thread pools bring their own; the same bits everywhere need the same environment everywhere.
#pragma once
#include <cstdint>

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "halfstep cannot be built with fast-math: it erases the inf check"
#endif

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace halfstep::internal {

class FpEnvGuard {
 public:
  FpEnvGuard() : saved_(read()) { write(kWanted); }
  ~FpEnvGuard() { write(saved_); }
  FpEnvGuard(const FpEnvGuard&) = delete;
  FpEnvGuard& operator=(const FpEnvGuard&) = delete;

#if defined(__x86_64__)
  using Word = std::uint32_t;
  // MXCSR: all exceptions masked (0x1f80), FTZ (bit 15), DAZ (bit 6), rounding to nearest, flags clear.
  static constexpr Word kWanted = 0x1f80u | 0x8000u | 0x0040u;
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  // FPCR: FZ (bit 24) flushes subnormals of fp32 in and out; FZ16 stays off, so that fp16 subnormals survive.
  static constexpr Word kWanted = Word{1} << 24;
  static Word read() {
    Word word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { __asm__ volatile("msr fpcr, %0" : : "r"(word) : "memory"); }
#else
#error "halfstep knows the floating-point control of x86-64 and AArch64 only"
#endif

 private:
  Word saved_;
};

}  // namespace halfstep::internal
