// The n-th allocation fails.
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

}  // namespace halfstep::test
