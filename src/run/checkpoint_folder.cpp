#include "run/checkpoint_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include "halfstep/error.hpp"
#include "io/safe_file.hpp"
#include "run/check_finite.hpp"
#include "run/folder.hpp"

namespace halfstep::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin = "step-", kEnd = ".safetensors", kBagged = "network-";
constexpr std::size_t kDigits = 12;

std::string in_folder(const std::string& folder, const std::string& name) { return (fs::path(folder) / name).string(); }

std::string name_of(std::int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return std::string(kBegin) + digits + std::string(kEnd);
}

std::optional<std::int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return std::nullopt;
  const char* const begin = name.data() + kBegin.size();
  const char* const end = name.data() + name.size() - kEnd.size();
  std::int64_t step = -1;
  const auto [rest, error] = std::from_chars(begin, end, step);
  return error == std::errc() && rest == end && step >= 0 ? std::optional(step) : std::nullopt;
}

// Of a folder that is not there: none. Not by std::filesystem, whose iterators of libstdc++ 12 throw errors without
// words where memory ends.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (!directory && errno != ENOENT) {
    io::throw_io("cannot read the folder of checkpoints", folder, io::errno_text(errno));
  }
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) names.emplace_back(entry->d_name);
  return names;
}

// Newest first.
std::vector<std::int64_t> steps_in(const std::string& folder) {
  std::vector<std::int64_t> steps;
  for (const std::string& name : names_in(folder)) {
    if (const auto step = step_of(name)) steps.push_back(*step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

std::string read_holder(int file) {
  char text[300];
  const ssize_t size = ::pread(file, text, sizeof text, 0);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "unknown";
}

// False where another process has it. One that was killed may take a moment to go, with what it was writing.
bool take_lock(int file) {
  constexpr std::chrono::seconds kPatience{3};
  constexpr std::chrono::milliseconds kPause{20};
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kPause);
  }
  return true;
}

// A second name for the file `from`, at once; false where the file system has none.
bool give_name(const std::string& from, const std::string& to) {
  const std::string beside = to + ".tmp-" + std::to_string(::getpid());
  (void)::unlink(beside.c_str());
  if (::link(from.c_str(), beside.c_str()) != 0) {
    const std::string name = fs::path(from).filename().string();
    if (::symlink(name.c_str(), beside.c_str()) != 0) return false;
  }
  if (::rename(beside.c_str(), to.c_str()) == 0) {
    (void)::unlink(beside.c_str());  // rename leaves it where both were one file already
    return true;
  }
  (void)::unlink(beside.c_str());
  return false;
}

// What writers that died have left: whoever has the lock is the only one that writes here.
void remove_temporaries(const std::string& folder) {
  for (const std::string& name : names_in(folder)) {
    const bool ours = name.starts_with(".step-") || name.starts_with(".network-") || name.starts_with(".best.") ||
                      name.starts_with("latest.");
    if (ours && name.find(".safetensors.tmp-") != std::string::npos) (void)::unlink(in_folder(folder, name).c_str());
  }
}

std::string made(std::string folder) {
  make_folder(folder, "--checkpoint-dir");
  return folder;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder) {
  const std::string path = in_folder(folder, ".lock");
  file_ = io::Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file_.valid()) {
    io::throw_io("cannot write to the folder of checkpoints", folder, io::errno_text(errno), "no step was made",
                 "a folder that can be written for --checkpoint-dir");
  }
  // File systems without locks: two runs in one folder are then the user's to keep apart.
  if (!take_lock(file_.get())) {
    io::throw_io("another run writes its checkpoints here", folder, read_holder(file_.get()), "no step was made",
                 "another --checkpoint-dir, or wait until it has ended");
  }
  const std::string holder = "process " + std::to_string(::getpid()) + " on " + host_name();
  // What stands there is only for the message above.
  if (::ftruncate(file_.get(), 0) == 0) (void)!::pwrite(file_.get(), holder.data(), holder.size(), 0);
}

CheckpointFolder::CheckpointFolder(std::string folder, std::int64_t keep)
    : folder_(made(std::move(folder))), keep_(keep), lock_(folder_) {
  remove_temporaries(folder_);
  io::write_probe(path_of(0));
}

std::string CheckpointFolder::path_of(std::int64_t step) const { return in_folder(folder_, name_of(step)); }
std::string CheckpointFolder::path_of(const std::string& name) const { return in_folder(folder_, name); }
std::string CheckpointFolder::best_path() const { return in_folder(folder_, "best.safetensors"); }

std::optional<std::int64_t> CheckpointFolder::newest() const {
  const std::vector<std::int64_t> steps = steps_in(folder_);
  return steps.empty() ? std::nullopt : std::optional(steps.front());
}

void CheckpointFolder::saved(std::int64_t step) const {
  (void)give_name(path_of(step), in_folder(folder_, "latest.safetensors"));
  const std::vector<std::int64_t> steps = steps_in(folder_);
  const auto keep = std::min(steps.size(), static_cast<std::size_t>(keep_));
  for (std::size_t i = keep; i < steps.size(); ++i) {
    if (steps[i] < step) (void)::unlink(path_of(steps[i]).c_str());
  }
}

std::string network_file(std::size_t settings, std::size_t part) {
  return std::string(kBagged) + std::to_string(settings + 1) + "-" + std::to_string(part + 1) + std::string(kEnd);
}

std::vector<std::string> networks_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const std::string& name : names_in(folder)) {
    if (name.starts_with(kBagged) && name.ends_with(kEnd)) paths.push_back(in_folder(folder, name));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

Found checkpoint_to_train_on(const std::string& path) {
  Found found = {path, load_checkpoint(path)};
  check_finite(found.checkpoint, path);
  return found;
}

std::optional<Found> newest_checkpoint(const std::string& folder, std::vector<std::string>& passed) {
  const std::vector<std::int64_t> steps = steps_in(folder);
  for (const std::int64_t step : steps) {
    const std::string path = in_folder(folder, name_of(step));
    try {
      return checkpoint_to_train_on(path);
    } catch (const Error& error) {
      if (error.status() == Status::out_of_memory || error.status() == Status::unsupported) throw;
      passed.emplace_back(error.what());
    }
  }
  if (steps.empty()) return std::nullopt;
  throw Error(Status::format, {.what = "no checkpoint here is good",
                               .where = folder,
                               .why = passed.front(),
                               .kept = "all files",
                               .hint = "another folder, or without --resume from the start"});
}

}  // namespace halfstep::internal
