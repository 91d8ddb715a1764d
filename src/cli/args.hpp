// The command line, taken apart.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/options.hpp"

namespace halfstep::cli {

struct Args {
  std::vector<std::string> positional;
  Options options;
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
};

bool accepts(const Command& command, std::string_view name);

// `words` is what follows the command. Throws Error(invalid_argument).
Args parse_args(const Command& command, std::span<const std::string_view> words);

// The command that repeats a run: only what differs from the defaults, quoted for a shell.
std::string repeat_command(const Args& args);

}  // namespace halfstep::cli
