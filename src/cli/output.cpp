#include "cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <system_error>

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/last_words.hpp"
#include "halfstep/error.hpp"
#include "halfstep/info.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool smart_terminal(int descriptor) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  return no_colour == nullptr || *no_colour == '\0';
}

std::string padded(std::string_view label, std::size_t width) {
  return std::string(label) + std::string(label.size() < width ? width - label.size() : 1, ' ');
}

void to_stderr(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && (errno == EPIPE || errno == EBADF)) throw ClosedPipe();
    if (written < 0) {
      throw Error(Status::io, {.what = "cannot write the results",
                               .where = "standard output",
                               .why = std::generic_category().message(errno),
                               .kept = "files already written",
                               .hint = {}});
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool terminal_on_stdout() { return ::isatty(STDOUT_FILENO) == 1; }

bool colour_on_stdout() { return smart_terminal(STDOUT_FILENO) && colour_wanted(); }

std::string bold(const std::string& text, bool colour) { return colour ? "\x1b[1m" + text + "\x1b[0m" : text; }

std::string row(std::string_view label, std::string_view value, std::size_t width) {
  return padded(label, width) + printable(value) + "\n";
}

Narrator::Narrator(const Args& args)
    : quiet_(args.quiet), live_(!args.quiet && smart_terminal(STDERR_FILENO)), colour_(live_ && colour_wanted()) {}

void Narrator::write(const std::string& line) {
  clear();
  to_stderr(line + "\n");
}

void Narrator::line(const std::string& text) {
  if (!quiet_) write(printable(text));
}

void Narrator::warning(const std::string& text) { write(bold("warning: ", colour_) + printable(text)); }

void Narrator::heading(std::string_view label, const std::string& text) {
  if (quiet_ || text.empty()) return;
  write(bold(padded(label, 11), colour_) + printable(text));
}

void Narrator::progress(const std::string& text) {
  if (!live_) return;
  // A line that wraps could not be taken back.
  to_stderr("\r\x1b[K" + text.substr(0, terminal_width() - 1));
  std::fflush(stderr);
  pending_ = true;
}

void Narrator::clear() {
  if (std::exchange(pending_, false)) to_stderr("\r\x1b[K");
}

JsonObject& JsonObject::raw(std::string_view key, std::string_view json) {
  if (!body_.empty()) body_ += ',';
  body_ += json_text(key) + ":";
  body_ += json;
  return *this;
}
JsonObject& JsonObject::text(std::string_view key, std::string_view value) { return raw(key, json_text(value)); }
JsonObject& JsonObject::number(std::string_view key, double value) { return raw(key, json_text(value)); }
JsonObject& JsonObject::integer(std::string_view key, std::int64_t value) { return raw(key, std::to_string(value)); }
JsonObject& JsonObject::boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }

std::string json_array(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + json_text(text);
  return "[" + out + "]";
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < texts.size(); ++i) out.append(i == 0 ? "" : separator).append(texts[i]);
  return out;
}

std::string brief(double value) {
  // Rates and counts read better in full than with an exponent.
  if (value >= 9999.5 && value < 1e15) return std::to_string(static_cast<std::int64_t>(value + 0.5));
  return short_number(value, 4);
}

namespace {

int exit_code(Status status) {
  switch (status) {
    case Status::ok:
      return kOk;
    case Status::invalid_argument:
      return kUsage;
    case Status::io:
      return kIo;
    case Status::format:
      return kFormat;
    case Status::unsupported:
      return kUnsupported;
    case Status::out_of_memory:
    case Status::limit:
      return kLimit;
    case Status::cancelled:
      return kInterrupted;
    case Status::diverged:
      return kDiverged;
    case Status::state:
    case Status::internal:
      return kInternal;
  }
  return kInternal;
}

int report(const Error& error, bool json) {
  const int code = exit_code(error.status());
  const std::string text = printable(error.what());  // a file name may hold anything
  to_stderr("error[" + error.code() + "]: " + text + "\n");
  if (!json) return code;
  try {
    const ErrorParts& parts = error.parts();
    JsonObject fields;
    fields.text("code", error.code()).text("what", parts.what).text("where", parts.where).text("why", parts.why);
    fields.text("kept", parts.kept).text("try", parts.hint);
    print(JsonObject().raw("error", fields.str()).integer("exit_code", code).line());
  } catch (const std::exception&) {
    // stderr has the message already; the code below is what counts.
  }
  return code;
}

int report_current_exception(bool json) {
  try {
    throw;
  } catch (const ClosedPipe&) {
    return kOk;
  } catch (const Error& error) {
    return report(error, json);
  } catch (const std::bad_alloc&) {
    return report_out_of_memory(json);
  } catch (const std::exception& error) {
    return report({Status::internal,
                   {.what = "a bug in halfstep",
                    .where = std::string(version()),
                    .why = error.what(),
                    .kept = {},
                    .hint = "report it with the command that led here"}},
                  json);
  }
}

}  // namespace

int report_failure(bool json) noexcept {
  try {
    return report_current_exception(json);
  } catch (...) {
    return report_out_of_memory(json);  // what else could not be put into words
  }
}

}  // namespace halfstep::cli
