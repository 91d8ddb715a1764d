// To be preloaded: calls of one kind fail. HALFSTEP_FAULT names the kind, HALFSTEP_FAULT_AT says which call (from 1),
// and with HALFSTEP_FAULT_ON all behind it fail too. HALFSTEP_FAULT_ERROR is the errno of files' calls; 0 makes reads
// and writes short instead. HALFSTEP_FAULT_COUNTS names a file that gets "kind calls" lines when the program has ended.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <new>

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace {

enum Kind {
  kMalloc,
  kMmap,
  kThread,
  kThrow,
  kOpen,
  kRead,
  kWrite,
  kFsync,
  kRename,
  kClose,
  kFallocate,
  kUnlink,
  kLink,
  kTruncate,
  kFopen,
  kFread,
  kFwrite,
  kFflush,
  kFclose,
  kKinds
};
constexpr const char* kNames[kKinds] = {"malloc", "mmap",   "thread", "throw",     "open",   "read", "write",
                                        "fsync",  "rename", "close",  "fallocate", "unlink", "link", "truncate",
                                        "fopen",  "fread",  "fwrite", "fflush",    "fclose"};

std::atomic<long> g_calls[kKinds];
std::atomic<bool> g_armed = false;
int g_kind = -1, g_error = 0;
long g_at = 0;
bool g_on = false;
thread_local int t_loading = 0;  // calls of dlopen under way

long number(const char* name) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::atol(text) : 0;
}

// The functions that come after ours. Looked up before anything fails, for that takes memory; libraries that begin
// before this one need them sooner.
template <class F>
F* real(F*& place, const char* name) {
  if (place == nullptr) place = reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
  return place;
}
// clang-format off
#define HS_CALLS(X) \
  X(dlopen) X(pthread_create) X(open) X(write) X(read) X(pwrite) X(pread) X(fsync) X(rename) X(unlink) X(link) X(ftruncate) X(close) X(posix_fallocate) \
  X(fopen) X(fread) X(fwrite) X(fflush) X(fclose)
// clang-format on
#define HS_DECLARE(name) decltype(&::name) g_##name;
HS_CALLS(HS_DECLARE)
#define HS_REAL(name) real(g_##name, #name)

__attribute__((constructor)) void arm() {
  if (const char* const kind = std::getenv("HALFSTEP_FAULT")) {
    for (int k = 0; k < kKinds; ++k) {
      if (std::strcmp(kind, kNames[k]) == 0) g_kind = k;
    }
  }
#define HS_LOOK_UP(name) (void)HS_REAL(name);
  HS_CALLS(HS_LOOK_UP)
  g_at = number("HALFSTEP_FAULT_AT");
  g_on = std::getenv("HALFSTEP_FAULT_ON") != nullptr;
  g_error = static_cast<int>(number("HALFSTEP_FAULT_ERROR"));
  g_armed = true;
}

bool fails(Kind kind) {
  if (!g_armed || t_loading > 0) return false;
  const long call = ++g_calls[kind];
  return kind == g_kind && (g_on ? call >= g_at : call == g_at);
}

// As fails, with errno set.
bool refuses(Kind kind) {
  if (!fails(kind)) return false;
  errno = g_error != 0 ? g_error : kind <= kMmap ? ENOMEM : EIO;
  return true;
}

// In place of what a thread is to run: an exception that nobody can catch. Threads started one after another throw at
// the same moment.
void* throw_out_of_memory(void*) {
  constexpr long kTick = 10'000'000;  // ns
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  timespec until{now.tv_sec, (now.tv_nsec / kTick + 1) * kTick};
  until.tv_sec += until.tv_nsec / 1'000'000'000;
  until.tv_nsec %= 1'000'000'000;
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  throw std::bad_alloc();
}

size_t shortened(size_t bytes) { return bytes > 1 ? bytes / 2 : bytes; }

__attribute__((destructor)) void tell() {
  g_armed = false;
  const char* const path = std::getenv("HALFSTEP_FAULT_COUNTS");
  if (path == nullptr) return;
  const int file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  for (int k = 0; k < kKinds; ++k) {
    char line[64];
    const int size = std::snprintf(line, sizeof line, "%s %ld\n", kNames[k], g_calls[k].load());
    (void)!::syscall(SYS_write, file, line, size);
  }
  ::syscall(SYS_close, file);
}

}  // namespace

extern "C" {

// oneTBB loads its allocator. What a library's constructor loads in turn, and finds no memory for, ends glibc 2.36 by a
// signal (_dlerror_run): nothing fails in here.
void* dlopen(const char* name, int flags) noexcept {
  void* (*const open_library)(const char*, int) = HS_REAL(dlopen);
  ++t_loading;
  void* const library = open_library(name, flags);
  --t_loading;
  return library;
}

void* malloc(size_t n) { return refuses(kMalloc) ? nullptr : __libc_malloc(n); }
void* calloc(size_t n, size_t size) { return refuses(kMalloc) ? nullptr : __libc_calloc(n, size); }
void* realloc(void* p, size_t n) { return refuses(kMalloc) ? nullptr : __libc_realloc(p, n); }
void* memalign(size_t to, size_t n) { return refuses(kMalloc) ? nullptr : __libc_memalign(to, n); }
void* aligned_alloc(size_t to, size_t n) { return refuses(kMalloc) ? nullptr : __libc_memalign(to, n); }
int posix_memalign(void** p, size_t to, size_t n) {
  void* const memory = fails(kMalloc) ? nullptr : __libc_memalign(to, n);
  if (memory == nullptr) return ENOMEM;
  *p = memory;
  return 0;
}

void* mmap(void* at, size_t n, int protection, int flags, int file, off_t offset) noexcept {
  if ((flags & MAP_ANONYMOUS) != 0 && refuses(kMmap)) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, at, n, protection, flags, file, offset));
}
void* mmap64(void* at, size_t n, int protection, int flags, int file, off_t offset) noexcept {
  return mmap(at, n, protection, flags, file, offset);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept {
  if (fails(kThread)) return EAGAIN;
  return fails(kThrow) ? HS_REAL(pthread_create)(thread, attributes, throw_out_of_memory, nullptr)
                       : HS_REAL(pthread_create)(thread, attributes, run, argument);
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return refuses(kOpen) ? -1 : HS_REAL(open)(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open(path, flags, mode);
}

// Standard error is where failures are told.
ssize_t write(int file, const void* data, size_t n) {
  if (file == STDERR_FILENO || !fails(kWrite)) return HS_REAL(write)(file, data, n);
  if (g_error == 0) return HS_REAL(write)(file, data, shortened(n));
  errno = g_error;
  return -1;
}
ssize_t read(int file, void* data, size_t n) {
  if (!fails(kRead)) return HS_REAL(read)(file, data, n);
  if (g_error == 0) return HS_REAL(read)(file, data, shortened(n));
  errno = g_error;
  return -1;
}
ssize_t pwrite(int file, const void* data, size_t n, off_t at) {
  if (!fails(kWrite)) return HS_REAL(pwrite)(file, data, n, at);
  if (g_error == 0) return HS_REAL(pwrite)(file, data, shortened(n), at);
  errno = g_error;
  return -1;
}
ssize_t pwrite64(int file, const void* data, size_t n, off64_t at) { return pwrite(file, data, n, at); }
ssize_t pread(int file, void* data, size_t n, off_t at) {
  if (!fails(kRead)) return HS_REAL(pread)(file, data, n, at);
  if (g_error == 0) return HS_REAL(pread)(file, data, shortened(n), at);
  errno = g_error;
  return -1;
}
ssize_t pread64(int file, void* data, size_t n, off64_t at) { return pread(file, data, n, at); }
int fsync(int file) { return refuses(kFsync) ? -1 : HS_REAL(fsync)(file); }
int rename(const char* from, const char* to) noexcept { return refuses(kRename) ? -1 : HS_REAL(rename)(from, to); }
int unlink(const char* path) noexcept { return refuses(kUnlink) ? -1 : HS_REAL(unlink)(path); }
int link(const char* from, const char* to) noexcept { return refuses(kLink) ? -1 : HS_REAL(link)(from, to); }
int ftruncate(int file, off_t size) noexcept { return refuses(kTruncate) ? -1 : HS_REAL(ftruncate)(file, size); }
int ftruncate64(int file, off64_t size) noexcept { return ftruncate(file, size); }
int close(int file) {
  const int result = HS_REAL(close)(file);
  return refuses(kClose) ? -1 : result;
}
int posix_fallocate(int file, off_t from, off_t n) {
  return refuses(kFallocate) ? errno : HS_REAL(posix_fallocate)(file, from, n);
}
int posix_fallocate64(int file, off64_t from, off64_t n) { return posix_fallocate(file, from, n); }

FILE* fopen(const char* path, const char* mode) { return refuses(kFopen) ? nullptr : HS_REAL(fopen)(path, mode); }
FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }
size_t fread(void* data, size_t size, size_t n, FILE* file) {
  if (!fails(kFread)) return HS_REAL(fread)(data, size, n, file);
  if (g_error == 0) return HS_REAL(fread)(data, size, shortened(n), file);
  errno = g_error;
  return 0;
}
size_t fwrite(const void* data, size_t size, size_t n, FILE* file) {
  if (file == stderr || !refuses(kFwrite)) return HS_REAL(fwrite)(data, size, n, file);
  return n / 2;
}
int fflush(FILE* file) { return file != stderr && refuses(kFflush) ? EOF : HS_REAL(fflush)(file); }
int fclose(FILE* file) {
  const int result = HS_REAL(fclose)(file);
  return refuses(kFclose) ? EOF : result;
}

}  // extern "C"
