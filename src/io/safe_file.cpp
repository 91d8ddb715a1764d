#include "io/safe_file.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <random>

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "io/posix.hpp"

namespace halfstep::internal::io {
namespace {

constexpr std::size_t kChunk = std::size_t{8} << 20;

// Where the bytes really go: `path` with symbolic links of its last component followed.
struct Target {
  std::string asked;
  std::string directory;
  std::string name;
  bool exists = false;
  struct stat status {};

  std::string resolved() const { return directory + "/" + name; }
  std::string kept() const { return exists ? "the previous " + asked : "nothing was written"; }
  std::string temporary_prefix() const { return "." + name + ".tmp-"; }

  [[noreturn]] void fail(const std::string& step, int code) const {
    throw_io("cannot write the file", asked, step + ": " + errno_text(code), kept());
  }
  [[noreturn]] void refuse(std::string why, std::string hint = {}) const {
    throw_io("cannot write the file", asked, std::move(why), kept(), std::move(hint));
  }
};

void split(Target& target, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  target.name = slash == std::string::npos ? path : path.substr(slash + 1);
  target.directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Follows links one by one, so that a link to a file that does not exist yet works too.
void follow_links(Target& target) {
  for (int hops = 0; hops < 40; ++hops) {
    char link[PATH_MAX];
    const ssize_t length = ::readlink(target.resolved().c_str(), link, sizeof link);
    if (length < 0) return;
    const std::string next(link, static_cast<std::size_t>(length));
    split(target, next.starts_with('/') ? next : target.directory + "/" + next);
  }
  target.fail("follow symbolic links", ELOOP);
}

Target find_target(const std::string& path) {
  Target target;
  target.asked = path;
  if (path.empty()) target.refuse("the name is empty");
  if (path.find('\0') != std::string::npos) target.refuse("the name holds a NUL byte");
  split(target, path);
  if (::stat(path.c_str(), &target.status) == 0) {
    target.exists = true;
    if (S_ISDIR(target.status.st_mode)) target.refuse("it is a directory", "a file name inside it");
    // Renaming over a device or a pipe would replace it for everybody.
    if (!S_ISREG(target.status.st_mode)) target.refuse("it is not a regular file");
  }
  if (target.name.empty()) target.refuse("the name ends in '/'", "a file name inside that directory");
  follow_links(target);
  struct stat directory {};
  if (::stat(target.directory.c_str(), &directory) != 0) {
    if (errno == ENOENT) target.refuse("there is no directory " + target.directory, "mkdir -p " + target.directory);
    target.fail("look at " + target.directory, errno);
  }
  if (!S_ISDIR(directory.st_mode)) target.refuse(target.directory + " is not a directory");
  return target;
}

// Unlinks the temporary unless it was renamed away.
class Temporary {
 public:
  explicit Temporary(const Target& target) : target_(target) {
    std::random_device random;
    for (int tries = 0; tries < 16 && !file_.valid(); ++tries) {
      path_ = target.directory + "/" + target.temporary_prefix() + std::to_string(::getpid()) + "-" +
              std::to_string(random());
      file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (!file_.valid() && errno != EEXIST) break;
    }
    if (!file_.valid()) {
      const int code = errno;
      path_.clear();
      target.fail("create a file in " + target.directory, code);
    }
    // Tells remove_stale that the writer lives, across containers too; without locks the process id must do.
    (void)::flock(file_.get(), LOCK_EX | LOCK_NB);
  }
  Temporary(const Temporary&) = delete;
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void keep_mode_and_owner() {
    if (!target_.exists) return;
    // Only root may give files away; a file with the writer's own id and the old mode is the next best.
    if (::fchown(file_.get(), target_.status.st_uid, target_.status.st_gid) != 0) errno = 0;
    if (::fchmod(file_.get(), target_.status.st_mode & 07777) != 0) target_.fail("keep its mode", errno);
  }

  // Makes a full disk known before anything is written.
  void reserve(std::size_t size) {
    if (size == 0) return;
    int code = EINTR;
    while (code == EINTR) code = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(size));
    if (code != 0 && code != EOPNOTSUPP && code != EINVAL && code != ENOSYS) target_.fail("reserve space", code);
  }

  void write(Bytes bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), std::min(bytes.size(), kChunk));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) target_.fail("write", errno);
      if (written == 0) target_.fail("write", ENOSPC);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void replace_target() {
    // Never retried: after a failed fsync Linux forgets the dirty pages and the next one reports success.
    if (::fsync(file_.get()) != 0) target_.fail("fsync", errno);
    if (file_.close() != 0) target_.fail("close", errno);
    if (::rename(path_.c_str(), target_.resolved().c_str()) != 0) target_.fail("rename", errno);
    path_.clear();
  }

 private:
  const Target& target_;
  std::string path_;
  Descriptor file_;
};

void sync_directory(const Target& target) {
  const Descriptor directory(::open(target.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may be written but not read cannot be synced, nor can some network file systems.
  if (!directory.valid() && errno == EACCES) return;
  if (directory.valid() && (::fsync(directory.get()) == 0 || errno == EINVAL || errno == EROFS)) return;
  throw_io("cannot make the file durable", target.asked, "fsync of the directory: " + errno_text(errno),
           "the new file is in place but may not survive a power failure");
}

bool writer_lives(const std::string& path, std::string_view name, std::size_t prefix) {
  pid_t pid = 0;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + prefix, end, pid);
  if (error != std::errc{} || rest == end || *rest != '-' || pid <= 0) return true;  // not ours: leave it alone
  if (::kill(pid, 0) == 0 || errno != ESRCH) return true;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return !file.valid() || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0;
}

void remove_stale(const Target& target) {
  DIR* directory = ::opendir(target.directory.c_str());
  if (directory == nullptr) return;
  const std::string prefix = target.temporary_prefix();
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(prefix)) continue;
    const std::string path = target.directory + "/" + std::string(name);
    if (!writer_lives(path, name, prefix.size())) ::unlink(path.c_str());
  }
  ::closedir(directory);
}

}  // namespace

void write_file_atomic(const std::string& path, std::span<const Bytes> parts) {
  const Target target = find_target(path);
  std::size_t size = 0;
  for (const Bytes part : parts) size += part.size();
  Temporary temporary(target);
  temporary.keep_mode_and_owner();
  temporary.reserve(size);
  for (const Bytes part : parts) temporary.write(part);
  temporary.replace_target();
  sync_directory(target);
}

void write_probe(const std::string& path) {
  const Target target = find_target(path);
  remove_stale(target);
  const Temporary temporary(target);
}

}  // namespace halfstep::internal::io
