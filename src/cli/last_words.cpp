#include "cli/last_words.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <sched.h>
#include <unistd.h>

#include "cli/output.hpp"

namespace halfstep::cli {
namespace {

constexpr std::string_view kNoMemory =
    "error[HS-0005]: out of memory; kept: files already written; try: a smaller --batch or --hidden\n";
constexpr std::string_view kNoMemoryJson =
    R"({"error":{"code":"HS-0005","what":"out of memory","where":"","why":"","kept":"files already written",)"
    R"("try":"a smaller --batch or --hidden"},"exit_code":6})"
    "\n";
constexpr std::string_view kNoThread =
    "error[HS-0006]: the system refused a thread; kept: files already written; try: --threads 1\n";
constexpr std::string_view kBug =
    "error[HS-0010]: a bug in halfstep; kept: files already written; try: report it with the command that led here\n";

void say(int descriptor, std::string_view line) noexcept {
  while (!line.empty()) {
    const ssize_t written = ::write(descriptor, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

enum class Turn { free, speaking, spoken };
constinit std::atomic<Turn> g_turn{Turn::free};

// The last words are one line, whichever and however many threads fail at once: the first says its own, the others
// wait until that is written.
void say_once(std::string_view line, std::string_view json = {}) noexcept {
  Turn turn = Turn::free;
  if (g_turn.compare_exchange_strong(turn, Turn::speaking)) {
    say(STDERR_FILENO, line);
    say(STDOUT_FILENO, json);
    g_turn = Turn::spoken;
  }
  while (g_turn != Turn::spoken) ::sched_yield();
}

struct LastWords {
  std::string_view line;
  int code;
};

// oneTBB has no type of its own for a thread that it could not start, only this text.
bool is_refused_thread(const std::runtime_error& error) {
  return dynamic_cast<const std::system_error*>(&error) != nullptr ||
         std::strstr(error.what(), "pthread_create") != nullptr;
}

LastWords words_for_current_exception() noexcept {
  try {
    if (std::current_exception()) throw;
  } catch (const std::bad_alloc&) {
    return {kNoMemory, kLimit};
  } catch (const std::runtime_error& error) {
    if (is_refused_thread(error)) return {kNoThread, kLimit};
  } catch (...) {
  }
  return {kBug, kInternal};
}

[[noreturn]] void end_program() noexcept {
  const LastWords words = words_for_current_exception();
  say_once(words.line);
  ::_exit(words.code);  // other threads run on: nothing they use may be destroyed
}

}  // namespace

int report_out_of_memory(bool json) noexcept {
  say_once(kNoMemory, json ? kNoMemoryJson : std::string_view());
  return kLimit;
}

void report_uncaught_exceptions() noexcept { std::set_terminate(end_program); }

}  // namespace halfstep::cli
