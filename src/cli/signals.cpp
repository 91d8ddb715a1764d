#include "cli/signals.hpp"

#include <atomic>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace halfstep::cli {
namespace {

std::atomic<int> g_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free, "it is written in a signal handler");

std::atomic<bool> g_save = false;

extern "C" void note_save(int) { g_save.store(true); }

extern "C" void note_signal(int number) {
  if (g_signal.exchange(number) != 0 && number == SIGINT) ::_exit(128 + SIGINT);
}

}  // namespace

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (int fd = 0; fd <= 2; ++fd) {
    // open takes the lowest free number, which is `fd` when that one is closed. A closed stdout stays one that
    // cannot be written, so that results are not lost unnoticed.
    if (::fcntl(fd, F_GETFD) < 0) (void)!::open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY);
  }
}

void catch_stop_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (::sigaction(number, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;  // reading and writing go on; the run stops between two steps
    ::sigaction(number, &action, nullptr);
  }
}

void catch_save_signal() {
  struct sigaction action {};
  action.sa_handler = note_save;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &action, nullptr);
}

bool take_save_signal() { return g_save.load(std::memory_order_relaxed) && g_save.exchange(false); }

int stop_signal() { return g_signal.load(); }

}  // namespace halfstep::cli
