// Allocations that fail, and allocations that are counted.
#pragma once

namespace halfstep::test {

// While it lives, operator new of this thread counts its calls, and the n-th (from 1; 0: none) throws std::bad_alloc.
class FailingNew {
 public:
  explicit FailingNew(long n);
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
  static long calls();
};

// Blocks of memory, of every thread since the program began: taken by operator new or aligned_alloc, which are all
// that the library takes memory by, and those of operator new that are not given back.
struct Allocations {
  long taken, held;
};
Allocations allocations();

}  // namespace halfstep::test
