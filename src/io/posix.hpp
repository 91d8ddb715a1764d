// An open file descriptor, and errors of the operating system as Error(io).
#pragma once
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include "halfstep/error.hpp"

namespace halfstep::internal::io {

// `why` has no locale: strerror's text is only translated after setlocale, which the library never calls.
inline std::string errno_text(int code) { return std::generic_category().message(code); }

[[noreturn]] inline void throw_io(std::string what, std::string where, std::string why, std::string kept = {},
                                  std::string hint = {}) {
  throw Error(Status::io, {std::move(what), std::move(where), std::move(why), std::move(kept), std::move(hint)});
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // Network file systems and quotas report here. Never retried: after EINTR the descriptor is gone on Linux.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

}  // namespace halfstep::internal::io
