// What stands behind the handles of halfstep.h, and the border that no exception crosses.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <string_view>
#include <type_traits>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"
#include "halfstep/halfstep.h"

namespace halfstep::internal::c_abi {

// One line of fixed length: that memory ran out can be told without any.
class Message {
 public:
  void set(std::string_view text) noexcept;
  const char* text() const { return text_; }

 private:
  char text_[1024] = "";
};

// Of the thread, for hs_last_message().
Message& last_message() noexcept;

enum class Kind : std::uint32_t {
  none = 0,
  config = 0x68736366,
  dataset = 0x68736473,
  trainer = 0x68737472,
  model = 0x68736d64,
  predictor = 0x68737072
};

// Is on a list while it lives: asking whether a pointer is a handle reads nothing that it points to.
class Handle {
 public:
  explicit Handle(Kind kind);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // For signal handlers, which cannot look at the list.
  bool looks_like(Kind kind) const { return kind_.load(std::memory_order_relaxed) == kind; }

  mutable std::atomic<bool> in_use = false;
  mutable Message message;

 private:
  friend bool is_live(const void* handle, Kind kind);
  std::atomic<Kind> kind_;
  Handle* next_ = nullptr;
};

bool is_live(const void* handle, Kind kind);

// Whether this process was forked from one that had made handles: their threads and perhaps their locks are not here.
bool is_forked() noexcept;

// Sets the thread's message, and that of a handle where there is one.
hs_status fail(Message* own, Status status, std::string_view text) noexcept;

[[noreturn]] void refuse(const char* what, const char* why, Status status = Status::invalid_argument);

// Another floating-point environment for a while; then that of before, flags and all.
class FpEnvScope {
 public:
  // Of a program that has set none: text and tables are read alike whatever the host has set.
#if defined(__x86_64__)
  static constexpr FpEnvGuard::Word kPlain = 0x1f80;
#else
  static constexpr FpEnvGuard::Word kPlain = 0;
#endif
  explicit FpEnvScope(FpEnvGuard::Word word) : before_(FpEnvGuard::read()) { FpEnvGuard::write(word); }
  ~FpEnvScope() { FpEnvGuard::write(before_); }
  FpEnvScope(const FpEnvScope&) = delete;

 private:
  FpEnvGuard::Word before_;
};

// Runs f, and tells by a status what it throws.
template <class F>
hs_status guarded(Message* own, F&& f) noexcept {
  const FpEnvScope fp_env(FpEnvScope::kPlain);
  try {
    f();
    return HS_STATUS_OK;
  } catch (const Error& error) {
    return fail(own, error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(own, Status::out_of_memory, "there is not enough memory");
  } catch (const std::exception& error) {
    return fail(own, Status::internal, error.what());
  } catch (...) {
    return fail(own, Status::internal, "an exception of a kind that is not known");
  }
}

// A call without a handle of its own.
template <class F>
hs_status call_free(F&& f) noexcept {
  return guarded(nullptr, [&] {
    if (is_forked()) refuse("this process cannot use halfstep", "it was forked from one that does", Status::state);
    f();
  });
}

// Throws where it is no live handle.
template <class H>
void require_live(H* handle) {
  if (!is_live(handle, std::remove_const_t<H>::kKind)) {
    refuse("this is no handle of that kind", handle == nullptr ? "it is null" : "it is destroyed or something else");
  }
}

// A call on a handle that several threads may read.
template <class H, class F>
hs_status call_shared(const H* handle, F&& f) noexcept {
  return call_free([&] {
    require_live(handle);
    f(*handle);
  });
}

// A call on a handle that one thread at a time may use.
template <class H, class F>
hs_status call(H* handle, F&& f) noexcept {
  const hs_status status = call_free([&] {
    require_live(handle);
    if (handle->in_use.exchange(true))
      refuse("this handle is in use", "by its callback or another thread", Status::state);
  });
  if (status != HS_STATUS_OK) return status;
  const hs_status result = guarded(&handle->message, [&] { f(*handle); });
  handle->in_use = false;
  return result;
}

template <class H>
hs_status destroy(H* handle) noexcept {
  if (handle == nullptr) return HS_STATUS_OK;
  return call_free([&] {
    require_live(handle);
    if (handle->in_use.exchange(true))
      refuse("this handle is in use", "by its callback or another thread", Status::state);
    delete handle;
  });
}

template <class H>
const char* message_of(const H* handle) noexcept {
  bool live = false;
  if (!is_forked()) guarded(nullptr, [&] { live = is_live(handle, H::kKind); });
  return live ? handle->message.text() : "";
}

}  // namespace halfstep::internal::c_abi
