// A folder that looks like /sys/fs/cgroup, with a membership file beside it.
#pragma once
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "base/cgroup.hpp"

namespace halfstep::test {

using namespace internal;

class FakeGroups {
 public:
  explicit FakeGroups(const std::string& membership)
      : root_(std::filesystem::temp_directory_path() /
              ("halfstep_groups_" + std::to_string(::getpid()) + "_" + std::to_string(++count_))) {
    std::filesystem::remove_all(root_);
    write("membership", membership);
  }
  ~FakeGroups() { std::filesystem::remove_all(root_); }
  FakeGroups(const FakeGroups&) = delete;
  FakeGroups& operator=(const FakeGroups&) = delete;

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }
  CgroupPlaces places() const { return {root_.string(), (root_ / "membership").string()}; }

 private:
  static inline int count_ = 0;
  std::filesystem::path root_;
};

}  // namespace halfstep::test
