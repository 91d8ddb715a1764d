#include "api/c/handle.hpp"

#include <algorithm>
#include <mutex>

#include <unistd.h>

namespace halfstep::internal::c_abi {
namespace {

// No destructors: a host may destroy handles while it ends.
constinit std::mutex g_lock;
constinit Handle* g_lists[256] = {};
constinit std::atomic<pid_t> g_process = 0;

Handle*& list_of(const void* handle) {
  return g_lists[(reinterpret_cast<std::uintptr_t>(handle) >> 6) % std::size(g_lists)];
}

}  // namespace

void Message::set(std::string_view text) noexcept {
  std::size_t size = std::min(text.size(), sizeof(text_) - 1);
  // Not in the midst of a character.
  if (size < text.size()) {
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  }
  std::copy_n(text.data(), size, text_);
  text_[size] = '\0';
}

Message& last_message() noexcept {
  static thread_local constinit Message message;
  return message;
}

Handle::Handle(Kind kind) : kind_(kind) {
  pid_t nobody = 0;
  g_process.compare_exchange_strong(nobody, ::getpid());
  const std::lock_guard lock(g_lock);
  Handle*& list = list_of(this);
  next_ = list;
  list = this;
}

Handle::~Handle() {
  kind_ = Kind::none;
  const std::lock_guard lock(g_lock);
  Handle** link = &list_of(this);
  while (*link != this) link = &(*link)->next_;
  *link = next_;
}

bool is_live(const void* handle, Kind kind) {
  const std::lock_guard lock(g_lock);
  for (const Handle* h = list_of(handle); h != nullptr; h = h->next_) {
    if (h == handle) return h->looks_like(kind);
  }
  return false;
}

bool is_forked() noexcept {
  const pid_t process = g_process;
  return process != 0 && process != ::getpid();
}

hs_status fail(Message* own, Status status, std::string_view text) noexcept {
  last_message().set(text);
  if (own != nullptr) own->set(text);
  return static_cast<hs_status>(status);
}

void refuse(const char* what, const char* why, Status status) {
  throw Error(status, {.what = what, .where = {}, .why = why, .kept = {}, .hint = {}});
}

}  // namespace halfstep::internal::c_abi
