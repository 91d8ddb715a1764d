// The command line, taken apart.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/options.hpp"

namespace halfstep::cli {

// A flag of one command that is no parameter of training.
struct Flag {
  std::string_view name;
  std::string_view type;  // as in ParameterInfo
  std::string_view default_value;
  std::string_view range;
  std::string_view help;
};

struct Args {
  std::vector<std::string> positional;
  std::vector<std::pair<std::string_view, std::string>> flags;  // the command's own, each with its value or default
  Options options;
  std::string config;  // file that options came from; empty: none
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool help = false;
};

struct Command {
  std::string_view name;
  std::string_view usage;  // what follows the name
  std::string_view help;   // one line
  // Parameters that count, and the switches "json", "quiet" and "v"; any other is refused rather than
  // ignored. Empty: all of them, and --config.
  std::span<const std::string_view> accepts;
  std::size_t least;  // positional arguments
  std::size_t most;
  int (*run)(const Args&);
  std::span<const Flag> flags = {};                // its own, before parameters of the same name
  std::span<const std::string_view> without = {};  // parameters that do not count where all others do
};

bool accepts(const Command& command, std::string_view name);

// The value of one of the command's own flags.
const std::string& flag_value(const Args& args, std::string_view name);

// `words` is what follows the command. Throws Error(invalid_argument).
Args parse_args(const Command& command, std::span<const std::string_view> words);

// As one word of a shell, and printable.
std::string shell_quoted(const std::string& text);

// The command that repeats a run: only what differs from the defaults, quoted for a shell.
std::string repeat_command(const Args& args, std::string_view command = "train");

}  // namespace halfstep::cli
