// To be preloaded: what the program does to files, one record after another, in the file that HALFSTEP_RECORD names.
// power_loss.cpp reads them.
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faults/record.hpp"

using halfstep::faults::Operation;

namespace {

pthread_mutex_t g_turn = PTHREAD_MUTEX_INITIALIZER;  // held around each call and its record: that is their order
int g_log = -1;

template <class F>
F* real(F*& place, const char* name) {
  if (place == nullptr) place = reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
  return place;
}
// clang-format off
#define HS_CALLS(X) X(open) X(write) X(fsync) X(rename) X(link) X(unlink) X(close) X(posix_fallocate) X(fwrite)
// clang-format on
#define HS_DECLARE(name) decltype(&::name) g_##name;
HS_CALLS(HS_DECLARE)
#define HS_REAL(name) real(g_##name, #name)

__attribute__((constructor)) void begin() {
#define HS_LOOK_UP(name) (void)HS_REAL(name);
  HS_CALLS(HS_LOOK_UP)
  if (const char* const path = std::getenv("HALFSTEP_RECORD")) {
    g_log = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  }
}

void put(const void* data, std::size_t size) { (void)!::syscall(SYS_write, g_log, data, size); }

void record(Operation operation, std::int64_t number, const void* first, std::size_t first_size,
            const char* second = "") {
  if (g_log < 0) return;
  const std::int64_t head[] = {static_cast<std::int64_t>(operation), number, static_cast<std::int64_t>(first_size),
                               static_cast<std::int64_t>(std::strlen(second))};
  put(head, sizeof head);
  put(first, first_size);
  put(second, std::strlen(second));
}
void record(Operation operation, std::int64_t number, const char* path, const char* second = "") {
  record(operation, number, path, std::strlen(path), second);
}

class Turn {
 public:
  Turn() { ::pthread_mutex_lock(&g_turn); }
  ~Turn() { ::pthread_mutex_unlock(&g_turn); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

int open_recorded(const char* path, int flags, mode_t mode) {
  const Turn turn;
  const int file = HS_REAL(open)(path, flags, mode);
  if (file >= 0) record((flags & O_TRUNC) != 0 ? Operation::open_empty : Operation::open, file, path);
  return file;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_recorded(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_recorded(path, flags, mode);
}
ssize_t write(int file, const void* data, size_t n) {
  const Turn turn;
  const ssize_t written = HS_REAL(write)(file, data, n);
  if (written > 0) record(Operation::write, file, data, static_cast<std::size_t>(written));
  return written;
}
int fsync(int file) {
  const Turn turn;
  const int result = HS_REAL(fsync)(file);
  if (result == 0) record(Operation::fsync, file, "");
  return result;
}
int close(int file) {
  const Turn turn;
  record(Operation::close, file, "");
  return HS_REAL(close)(file);
}
int posix_fallocate(int file, off_t from, off_t n) {
  const Turn turn;
  const int result = HS_REAL(posix_fallocate)(file, from, n);
  if (result == 0) record(Operation::reserve, file, "", "");
  return result;
}
int posix_fallocate64(int file, off64_t from, off64_t n) { return posix_fallocate(file, from, n); }
// What is told to people is told here.
size_t fwrite(const void* data, size_t size, size_t n, FILE* file) {
  const Turn turn;
  const size_t written = HS_REAL(fwrite)(data, size, n, file);
  if (file == stderr) record(Operation::write, STDERR_FILENO, data, size * written);
  return written;
}
int rename(const char* from, const char* to) noexcept {
  const Turn turn;
  const int result = HS_REAL(rename)(from, to);
  if (result == 0) record(Operation::rename, 0, from, to);
  return result;
}
int link(const char* from, const char* to) noexcept {
  const Turn turn;
  const int result = HS_REAL(link)(from, to);
  if (result == 0) record(Operation::link, 0, from, to);
  return result;
}
int unlink(const char* path) noexcept {
  const Turn turn;
  const int result = HS_REAL(unlink)(path);
  if (result == 0) record(Operation::unlink, 0, path);
  return result;
}

}  // extern "C"
