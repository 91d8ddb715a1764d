// Aligned, zeroed memory that is taken once.
#pragma once
#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "halfstep/error.hpp"

namespace halfstep::internal {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

namespace detail {

[[noreturn]] inline void no_memory(const std::string& bytes) {
  throw Error(Status::out_of_memory, {.what = "cannot allocate " + bytes + " bytes",
                                      .where = {},
                                      .why = {},
                                      .kept = {},
                                      .hint = "a smaller --batch or --hidden"});
}

// Zeroed memory, aligned to a cache line, in huge pages where it is large or has neighbours (arena.cpp). Throws
// Error(out_of_memory).
void* allocate(std::size_t bytes);
// Bytes of huge pages beside and behind all buffers there are: what large pages cost.
std::size_t rest_of_huge_pages();
void release(void* memory, std::size_t bytes) noexcept;

// Not zeroed; in huge pages where it is large.
void* allocate_array(std::size_t bytes);
void release_array(void* memory, std::size_t bytes) noexcept;

inline constinit thread_local bool plan_only = false;

template <class T>
struct ArrayAllocator {
  using value_type = T;
  ArrayAllocator() = default;
  template <class U>
  ArrayAllocator(const ArrayAllocator<U>&) {}  // NOLINT: implicit, as standard containers want it
  T* allocate(std::size_t n) { return static_cast<T*>(allocate_array(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { release_array(memory, n * sizeof(T)); }
  bool operator==(const ArrayAllocator&) const = default;
};

// Elements that are made without a value have none.
template <class T>
struct RawAllocator : ArrayAllocator<T> {
  template <class U>
  struct rebind {
    using other = RawAllocator<U>;
  };
  RawAllocator() = default;
  template <class U>
  RawAllocator(const RawAllocator<U>&) {}  // NOLINT: implicit, as standard containers want it
  void construct(T* element) noexcept { ::new (static_cast<void*>(element)) T; }
  template <class... Args>
  void construct(T* element, Args&&... args) {
    ::new (static_cast<void*>(element)) T(std::forward<Args>(args)...);
  }
};

}  // namespace detail

// For large memory that is yet untouched: in huge pages where it covers them. What comes of it is speed alone.
void prefer_huge_pages(void* memory, std::size_t bytes) noexcept;

// Large vectors that are read here and there: in huge pages.
template <class T>
using LargeVector = std::vector<T, detail::ArrayAllocator<T>>;

// The same for what is written over as soon as it is there: resize() leaves new elements as they are.
template <class T>
using RawVector = std::vector<T, detail::RawAllocator<T>>;

// While it lives, aligned buffers that this thread makes have a size and no memory: the code that takes it tells how
// much that would be. Nobody may touch them.
class PlanOnly {
 public:
  PlanOnly() : before_(std::exchange(detail::plan_only, true)) {}
  ~PlanOnly() { detail::plan_only = before_; }
  PlanOnly(const PlanOnly&) = delete;
  PlanOnly& operator=(const PlanOnly&) = delete;

 private:
  bool before_;
};

// `size` zeroed elements, aligned to a cache line. Readable up to the next multiple of 64 bytes. Throws
// Error(out_of_memory).
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kCacheLine);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) : size_(size) {
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      detail::no_memory(std::to_string(size) + " x " + std::to_string(sizeof(T)));
    }
    if (size > 0 && !detail::plan_only) data_ = static_cast<T*>(detail::allocate(size * sizeof(T)));
  }
  // The memory of another, which outlives it. Nobody may write to it.
  static AlignedBuffer borrowed(const AlignedBuffer& from) {
    AlignedBuffer view;
    view.data_ = from.data_;
    view.size_ = from.size_;
    view.owned_ = false;
    return view;
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), owned_(other.owned_) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~AlignedBuffer() {
    if (owned_) detail::release(data_, size_ * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
  bool owned_ = true;
};

// Of buffers of one size.
template <class T>
void copy_all(const AlignedBuffer<T>& from, AlignedBuffer<T>& to) {
  std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace halfstep::internal
