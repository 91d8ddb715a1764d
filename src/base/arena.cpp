// Where buffers lie. Walking through memory in small pages costs a step 1 to 3 % (784-512-512-10, batch 128), so the
// buffers of a network share huge pages: those below 4 MiB are cut from slabs, one behind the other, and a slab goes
// back when the last of its buffers does. The buffers of a network are taken and given back together.
#include "base/arena.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace halfstep::internal::detail {
namespace {

constexpr std::size_t kOwnFrom = std::size_t{4} << 20;   // larger buffers have huge pages of their own
constexpr std::size_t kSlabFrom = std::size_t{4} << 10;  // smaller ones are the system's allocator's
constexpr std::size_t kSlab = 32 * kHugePage;            // what is not touched is not there
// Buffers off multiples of a page: a store and a load at the same place of two pages wait for each other.
constexpr std::size_t kGap = 9 * kCacheLine;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

void* from_system(std::size_t bytes, std::size_t alignment) {
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) no_memory(std::to_string(bytes));
  const std::size_t rounded = round_up(bytes, alignment);
  void* const memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) no_memory(std::to_string(bytes));
#if defined(__linux__)
  // Before the first touch, or the pages are already small. A refusal only costs speed.
  if (alignment == kHugePage) (void)madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSlabs = false;  // each buffer by itself, so that what lies beyond its end is known as such
#elif defined(__has_feature)
constexpr bool kSlabs = !__has_feature(address_sanitizer);
#else
constexpr bool kSlabs = true;
#endif

bool in_slab(std::size_t bytes) { return kSlabs && bytes >= kSlabFrom && bytes < kOwnFrom; }

class Slabs {
 public:
  void* take(std::size_t bytes) {
    const std::size_t size = round_up(bytes, kCacheLine);
    const std::lock_guard lock(mutex_);
    if (slabs_.empty() || slabs_.back().used + size > kSlab) {
      slabs_.reserve(slabs_.size() + 1);
      slabs_.push_back({static_cast<std::byte*>(from_system(kSlab, kHugePage)), 0, 0, 0});
    }
    Slab& slab = slabs_.back();
    std::byte* const memory = slab.begin + slab.used;
    slab.used += size + kGap;
    ++slab.buffers;
    slab.live += bytes;
    return memory;
  }
  void give_back(void* memory, std::size_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    for (Slab& slab : slabs_) {
      if (memory < slab.begin || memory >= slab.begin + kSlab) continue;
      slab.live -= bytes;
      if (--slab.buffers > 0) return;
      std::free(slab.begin);
      slab = slabs_.back();
      slabs_.pop_back();
      if (slabs_.empty()) std::vector<Slab>().swap(slabs_);
      return;
    }
  }
  std::size_t rest() {
    const std::lock_guard lock(mutex_);
    std::size_t sum = 0;
    for (const Slab& slab : slabs_) sum += round_up(slab.used, kHugePage) - slab.live;
    return sum;
  }

 private:
  struct Slab {
    std::byte* begin;
    std::size_t used, buffers;
    std::size_t live;  // bytes of the buffers
  };
  std::mutex mutex_;
  std::vector<Slab> slabs_;  // buffers are cut from the last
};

// Never destroyed: buffers with static storage may go after it. Without buffers it holds no memory, which would be lost
// each time that a host unloads the library.
Slabs& slabs() {
  static union Undying {
    Undying() : slabs() {}
    ~Undying() {}
    Slabs slabs;
  } all;
  return all.slabs;
}

std::atomic<std::size_t> own_rest = 0;  // of buffers that have huge pages of their own
std::size_t rest_of_page(std::size_t bytes) { return bytes < kOwnFrom ? 0 : round_up(bytes, kHugePage) - bytes; }

}  // namespace

std::size_t rest_of_huge_pages() { return slabs().rest() + own_rest.load(); }

void* allocate(std::size_t bytes) {
  void* const memory =
      in_slab(bytes) ? slabs().take(bytes) : from_system(bytes, bytes >= kOwnFrom ? kHugePage : kCacheLine);
  own_rest += rest_of_page(bytes);
  std::memset(memory, 0, round_up(bytes, kCacheLine));
  return memory;
}

void release(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  own_rest -= rest_of_page(bytes);
  in_slab(bytes) ? slabs().give_back(memory, bytes) : std::free(memory);
}

void* allocate_array(std::size_t bytes) {
  if (bytes < kOwnFrom) return ::operator new(bytes);
  own_rest += rest_of_page(bytes);
  return from_system(bytes, kHugePage);
}

void release_array(void* memory, std::size_t bytes) noexcept {
  if (bytes < kOwnFrom) return ::operator delete(memory);
  release(memory, bytes);
}

}  // namespace halfstep::internal::detail

namespace halfstep::internal {

void prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__)
  const auto begin = reinterpret_cast<std::uintptr_t>(memory), end = begin + bytes;
  const std::uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage, last = end / kHugePage * kHugePage;
  if (first < last) (void)madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace halfstep::internal
