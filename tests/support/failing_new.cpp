#include "support/failing_new.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

thread_local bool t_armed = false;
thread_local long t_calls = 0, t_failing = 0;
std::atomic<long> g_taken = 0, g_held = 0;

// Null where the system has no more, or this call is to fail.
void* take(std::size_t bytes, std::size_t alignment) {
  if (t_armed && ++t_calls == t_failing) return nullptr;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory != nullptr) ++g_held;
  return memory;
}
void* take_or_throw(std::size_t bytes, std::size_t alignment) {
  if (void* const memory = take(bytes, alignment)) return memory;
  throw std::bad_alloc();
}
void give_back(void* memory) {
  if (memory != nullptr) --g_held;
  std::free(memory);
}

constexpr std::size_t kAlignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace

// Linked in place of aligned_alloc (--wrap in CMakeLists.txt).
extern "C" void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
extern "C" void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++g_taken;
  return __real_aligned_alloc(alignment, bytes);
}

// All are replaced, for memory from one may go back through any delete.
void* operator new(std::size_t bytes) { return take_or_throw(bytes, kAlignment); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return take(bytes, kAlignment); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return take(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }

namespace halfstep::test {

FailingNew::FailingNew(long n) {
  t_calls = 0;
  t_failing = n;
  t_armed = true;
}
FailingNew::~FailingNew() { t_armed = false; }
long FailingNew::calls() { return t_calls; }

Allocations allocations() { return {g_taken, g_held}; }

}  // namespace halfstep::test
