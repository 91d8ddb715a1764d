// What a forked child finds.
#include "api/fork_check.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "halfstep/error.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

bool refuses(const ForkCheck& check) {
  try {
    check();
    return false;
  } catch (const Error& error) {
    return error.status() == Status::state;
  }
}

// The exit code of a child that runs f.
template <class F>
int in_child(F f) {
  const pid_t child = fork();
  if (child == 0) _exit(f());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST_CASE("fork check: a child may not use its parent's objects, but its own, and so on for its children") {
  const ForkCheck ours;
  CHECK_FALSE(refuses(ours));
  const int child = in_child([&] {
    const ForkCheck own;
    const int grandchild = in_child([&] { return refuses(ours) && refuses(own) && !refuses(ForkCheck()) ? 7 : 1; });
    return refuses(ours) && !refuses(own) && grandchild == 7 ? 5 : 1;
  });
  CHECK(child == 5);
  CHECK_FALSE(refuses(ours));
}

}  // namespace
