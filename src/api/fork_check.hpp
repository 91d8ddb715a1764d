// A child that was forked has the memory of an object and none of its threads, and locks as they just were.
#pragma once
#include <cstdint>

namespace halfstep::internal {

class ForkCheck {
 public:
  ForkCheck();
  // Throws Error(state) in another process than that which made this. Without a call of the system where the system can
  // mark a page: a prediction may take less than a microsecond.
  void operator()() const {
    if (mark_ != nullptr ? *mark_ != 0 : is_this_process()) return;
    refuse();
  }

 private:
  bool is_this_process() const;
  [[noreturn]] static void refuse();

  const volatile std::uint8_t* mark_;  // zero in a child; null: there is none
  std::int64_t process_;
};

}  // namespace halfstep::internal
