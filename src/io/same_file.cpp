// Whether two names are one file, and outputs that would overwrite inputs.
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "halfstep/error.hpp"
#include "halfstep/files.hpp"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

using Identity = std::pair<dev_t, ino_t>;

std::optional<Identity> identity(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

// Only a file that is redirected into standard input can be overwritten; a terminal or pipe is both ends of itself.
std::optional<Identity> standard_input() {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

// Where a file would be made: its folder without links and dots, and its name, with links to nothing followed.
fs::path place(fs::path path) {
  std::error_code code;
  for (int hops = 0; hops < 40; ++hops) {
    const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    path = fs::weakly_canonical(parent, code) / path.filename();
    if (!fs::is_symlink(path, code)) break;
    path = path.parent_path() / fs::read_symlink(path, code);
  }
  return path;
}

bool is_input(const NamedFile& output, const NamedFile& input) {
  if (input.path != "-") return same_file(output.path, input.path);
  const auto in = standard_input();
  return in && in == identity(output.path);
}

[[noreturn]] void refuse(std::string what, const NamedFile& output, std::string why) {
  throw Error(Status::invalid_argument, {.what = std::move(what),
                                         .where = output.role + " " + output.path,
                                         .why = std::move(why),
                                         .kept = "all files as they were",
                                         .hint = "another path for " + output.role});
}

}  // namespace

bool same_file(const std::string& a, const std::string& b) {
  const auto one = identity(a), other = identity(b);
  if (one || other) return one == other;
  return place(a) == place(b);
}

void check_apart(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const NamedFile& output = outputs[i];
    for (const NamedFile& input : inputs) {
      if (!is_input(output, input)) continue;
      const std::string name = input.path == "-" ? "standard input" : input.path;
      refuse("an output would overwrite an input", output, "it is " + input.role + ", " + name);
    }
    for (const NamedFile& earlier : outputs.first(i)) {
      if (!same_file(output.path, earlier.path)) continue;
      refuse("two outputs would be one file", output, "it is the same file as " + earlier.role + " " + earlier.path);
    }
  }
}

}  // namespace halfstep
