// A reference to a callable, which must outlive it: a parameter that takes any lambda without a template or a heap.
#pragma once
#include <concepts>
#include <memory>
#include <type_traits>

namespace halfstep::internal {

template <class Signature>
class FunctionRef;

template <class... Args>
class FunctionRef<void(Args...)> {
 public:
  FunctionRef() = default;  // to nothing
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::invocable<F&, Args...>) FunctionRef(F&& function)
  noexcept  // NOLINT: implicit, so that a lambda can be passed
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_(&call<std::remove_reference_t<F>>) {}

  explicit operator bool() const { return call_ != nullptr; }
  void operator()(Args... args) const { call_(object_, args...); }

 private:
  template <class F>
  static void call(void* object, Args... args) {
    (*static_cast<F*>(object))(args...);
  }

  void* object_ = nullptr;
  void (*call_)(void*, Args...) = nullptr;
};

}  // namespace halfstep::internal
