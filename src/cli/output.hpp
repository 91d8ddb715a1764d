// Where words go: data to stdout, narration to stderr.
#pragma once
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/args.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::cli {

// Exit codes that scripts rely on.
enum Exit : int {
  kOk = 0,
  kInternal = 1,
  kUsage = 2,
  kFormat = 3,
  kIo = 4,
  kDiverged = 5,
  kLimit = 6,
  kUnsupported = 7,
  kPartial = 8,  // the work is done but its results did not all arrive
  kInterrupted = 130
};

// The reader of stdout has gone away: nothing is left to say, and nobody to say it to.
struct ClosedPipe : std::exception {};

// Writes all of `text` to stdout. Throws ClosedPipe or Error(io).
void print(std::string_view text);

bool terminal_on_stdout();

// Whether results may carry colour: a terminal, and NO_COLOR not set.
bool colour_on_stdout();
std::string bold(const std::string& text, bool colour);

// "label      value", a line for people; nothing that the value holds can drive their terminal.
std::string row(std::string_view label, std::string_view value, std::size_t width = 11);

// A line on stderr that replaces itself on a terminal; plain lines elsewhere. What is said is made printable.
class Narrator {
 public:
  explicit Narrator(const Args& args);
  bool quiet() const { return quiet_; }
  bool live() const { return live_; }  // a progress line can be shown
  void line(const std::string& text);
  void warning(const std::string& text);                          // even when quiet
  void heading(std::string_view label, const std::string& text);  // "label      text"
  void progress(const std::string& text);
  void clear();

 private:
  void write(const std::string& line);

  bool quiet_;
  bool live_;
  bool colour_;
  bool pending_ = false;  // a progress line is on the screen
};

// One JSON object, built field by field.
class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value);
  JsonObject& number(std::string_view key, double value);
  JsonObject& integer(std::string_view key, std::int64_t value);
  JsonObject& boolean(std::string_view key, bool value);
  JsonObject& raw(std::string_view key, std::string_view json);
  std::string str() const { return "{" + body_ + "}"; }
  std::string line() const { return str() + "\n"; }

 private:
  std::string body_;
};

std::string json_array(const std::vector<std::string>& texts);
std::string joined(const std::vector<std::string>& texts, std::string_view separator);

// Four significant digits, or a whole number, for people.
std::string brief(double value);

// Reports the exception being handled, on stderr and with `json` on stdout too, and gives the exit code. Needs no
// memory: where there is none, that is what it reports.
int report_failure(bool json) noexcept;

}  // namespace halfstep::cli
