// What a process has beside its memory: a library leaves it as it was.
#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace halfstep::test {

// Of the standard streams.
struct StreamState {
  bool open = false;
  int flags = 0, descriptor_flags = 0;
  off_t position = 0;
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const StreamState&) const = default;
};

inline StreamState stream_state(int fd) {
  struct stat s = {};
  if (fstat(fd, &s) != 0) return {};
  return {.open = true,
          .flags = fcntl(fd, F_GETFL),
          .descriptor_flags = fcntl(fd, F_GETFD),
          .position = S_ISREG(s.st_mode) ? lseek(fd, 0, SEEK_CUR) : 0,
          .device = s.st_dev,
          .inode = s.st_ino};
}

// The entries of a folder of /proc/self; `but_itself`: without the descriptor that reads it.
inline std::vector<long> numbers_in(const char* folder, bool but_itself) {
  std::vector<long> numbers;
  DIR* const entries = opendir(folder);
  if (entries == nullptr) return numbers;
  while (const dirent* entry = readdir(entries)) {
    const long number = std::strtol(entry->d_name, nullptr, 10);
    if (entry->d_name[0] != '.' && !(but_itself && number == dirfd(entries))) numbers.push_back(number);
  }
  closedir(entries);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

inline std::vector<long> descriptors() { return numbers_in("/proc/self/fd", true); }
inline std::size_t thread_count() { return numbers_in("/proc/self/task", false).size(); }

// How the process, and of its threads the one that asks, meets signals.
struct SignalState {
  std::array<bool, 65> blocked{};
  std::array<void*, 65> handlers{};
  std::array<int, 65> flags{};
  bool operator==(const SignalState&) const = default;
};

inline SignalState signal_state() {
  SignalState state;
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (int i = 1; i <= 64; ++i) {
    const auto at = static_cast<std::size_t>(i);
    state.blocked[at] = sigismember(&mask, i) == 1;
    struct sigaction action = {};
    if (sigaction(i, nullptr, &action) != 0) continue;  // two that glibc keeps to itself
    static_assert(sizeof action.sa_handler == sizeof(void*));
    std::memcpy(&state.handlers[at], &action.sa_handler, sizeof(void*));
    constexpr int kRestorer = 0x04000000;  // glibc's own, from the first time that an action is set
    state.flags[at] = action.sa_flags & ~kRestorer;
  }
  return state;
}

struct ProcessState {
  SignalState signals = signal_state();
  std::array<StreamState, 3> streams = {stream_state(0), stream_state(1), stream_state(2)};
  std::vector<int> cpus;  // that this thread may run on
  std::vector<long> open = descriptors();
  std::string folder;  // the current one
  mode_t mask = 0;     // of new files

  ProcessState() : ProcessState(std::fflush(nullptr)) {}  // what waits in a buffer is written
  bool operator==(const ProcessState&) const = default;

 private:
  explicit ProcessState(int) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
      for (int i = 0; i < CPU_SETSIZE; ++i) {
        if (CPU_ISSET(i, &set)) cpus.push_back(i);
      }
    }
    char path[4096];
    if (getcwd(path, sizeof path) != nullptr) folder = path;
    mask = umask(0);
    umask(mask);
  }
};

}  // namespace halfstep::test
