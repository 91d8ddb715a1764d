// Aligned, zeroed memory that is taken once.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "halfstep/error.hpp"

namespace halfstep {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kHugePage = std::size_t{2} << 20;
inline constexpr std::size_t kHugePageFrom = std::size_t{4} << 20;  // smaller blocks would waste most of one

namespace detail {

[[noreturn]] inline void no_memory(const std::string& bytes) {
  throw Error(Status::out_of_memory,
              {.what = "cannot allocate " + bytes + " bytes", .where = {}, .why = {}, .kept = {}, .hint = {}});
}

inline void* allocate_zeroed(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHugePageFrom ? kHugePage : kCacheLine;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) no_memory(std::to_string(bytes));
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) no_memory(std::to_string(bytes));
#if defined(__linux__)
  // Before the first touch, or the pages are already small. A refusal only costs speed.
  if (alignment == kHugePage) (void)madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  std::memset(memory, 0, rounded);
  return memory;
}

}  // namespace detail

// `size` zeroed elements, aligned to a cache line, to a huge page from 4 MiB on. Readable up to the next multiple of
// 64 bytes. Throws Error(out_of_memory).
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= kCacheLine);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) : size_(size) {
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      detail::no_memory(std::to_string(size) + " x " + std::to_string(sizeof(T)));
    }
    if (size > 0) data_ = static_cast<T*>(detail::allocate_zeroed(size * sizeof(T)));
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedBuffer() { std::free(data_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace halfstep
