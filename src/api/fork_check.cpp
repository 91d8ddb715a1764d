#include "api/fork_check.hpp"

#include <unistd.h>

#include "halfstep/error.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace halfstep::internal {
namespace {

// A page of this process alone: the system hands it to a child as zeros. It stays for as long as the process does. A
// child that makes objects of its own finds zero there, and goes by its number.
const volatile std::uint8_t* marked_page() {
#if defined(__linux__) && defined(MADV_WIPEONFORK)
  constexpr std::size_t kBytes = 1;  // the system makes a page of it
  void* const page = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  // An emulator that takes whatever it is asked for, this too, does nothing about it.
  constexpr int kNoAdvice = -1;
  if (madvise(page, kBytes, kNoAdvice) == 0 || madvise(page, kBytes, MADV_WIPEONFORK) != 0) {
    munmap(page, kBytes);
    return nullptr;
  }
  auto* const mark = static_cast<volatile std::uint8_t*>(page);
  *mark = 1;
  return mark;
#else
  return nullptr;
#endif
}

const volatile std::uint8_t* mark_of_process() {
  static const volatile std::uint8_t* const mark = marked_page();
  return mark != nullptr && *mark != 0 ? mark : nullptr;
}

}  // namespace

ForkCheck::ForkCheck() : mark_(mark_of_process()), process_(::getpid()) {}

bool ForkCheck::is_this_process() const { return ::getpid() == process_; }

void ForkCheck::refuse() {
  throw Error(Status::state, {.what = "called in a forked child",
                              .where = {},
                              .why = "its threads are those of the parent",
                              .kept = {},
                              .hint = "make it anew in the child"});
}

}  // namespace halfstep::internal
