// A file that a run adds records to while it goes on. One that cannot be written any more ends the file, not the run:
// hours of training are worth more than their curve.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "halfstep/error.hpp"
#include "io/posix.hpp"

namespace halfstep::internal {

class SideFile {
 public:
  // What it is to the user: {"the metrics file", "--metrics", "lines"}.
  struct Role {
    const char* what;
    const char* parameter;
    const char* records;
  };
  // Stands for no file: writes nothing.
  explicit SideFile(Role role) : role_(role) {}
  // Throws Error(io) when it cannot be opened: nothing is lost yet. `flags`, beside O_WRONLY | O_CREAT | O_CLOEXEC:
  // O_TRUNC or O_EXCL.
  SideFile(Role role, const std::string& path, int flags);

  // Called once, with a sentence for the user, when the file ends early.
  void on_lost(std::function<void(const std::string& warning)> tell) { tell_ = std::move(tell); }
  // Cuts off all but the first bytes of a file that was there; what follows is added to them.
  void keep(std::int64_t bytes);
  // A whole record, at once.
  void write(std::string_view record);
  void close();  // network file systems and quotas report here

 private:
  ErrorParts cannot_write(int code) const;
  void lose(int code);

  Role role_;
  std::string path_;
  io::Descriptor file_;
  std::int64_t records_ = 0;
  std::int64_t bytes_ = 0;  // of whole records
  std::function<void(const std::string&)> tell_;
};

}  // namespace halfstep::internal
