// A child that was forked has the memory of an object and none of its threads, and locks as they just were.
#pragma once
#include <unistd.h>

#include "halfstep/error.hpp"

namespace halfstep::internal {

class ForkCheck {
 public:
  // Throws Error(state) in another process than that which made this.
  void operator()() const {
    if (::getpid() == process_) return;
    throw Error(Status::state, {.what = "called in a forked child",
                                .where = {},
                                .why = "its threads are those of the parent",
                                .kept = {},
                                .hint = "make it anew in the child"});
  }

 private:
  pid_t process_ = ::getpid();
};

}  // namespace halfstep::internal
