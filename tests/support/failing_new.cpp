#include "support/failing_new.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local bool t_armed = false;
thread_local long t_calls = 0, t_failing = 0;

}  // namespace

void* operator new(std::size_t bytes) {
  if (t_armed && ++t_calls == t_failing) throw std::bad_alloc();
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
// Replaced with the others, for memory from it goes back through the same delete.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  if (t_armed && ++t_calls == t_failing) return nullptr;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace halfstep::test {

FailingNew::FailingNew(long n) {
  t_calls = 0;
  t_failing = n;
  t_armed = true;
}
FailingNew::~FailingNew() { t_armed = false; }
long FailingNew::calls() { return t_calls; }

}  // namespace halfstep::test
