#include "run/folder.hpp"

#include <filesystem>
#include <system_error>

#include "io/posix.hpp"

namespace halfstep::internal {

void make_folder(const std::string& folder, const char* parameter) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (!code) return;
  io::throw_io("cannot make the folder", folder, code.message(), "no step was made",
               std::string("a folder that can be written for ") + parameter);
}

bool is_folder(const std::string& path) {
  std::error_code code;
  return std::filesystem::is_directory(path, code);
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "host";
}

}  // namespace halfstep::internal
