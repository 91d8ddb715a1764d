// How the self-test calls a kernel: on arrays that hold whatever a pattern says, once for each ISA; all that lies in
// them afterwards must agree.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// Arrays of fp32, arrays in storage, and numbers that kernels return, one behind the other.
class ProbeMemory {
 public:
  static constexpr std::size_t kFp32 = 8, kStored = 4, kRoom = 640, kReturned = 8;  // kRoom: 4-byte units

  ProbeMemory() : words_((kFp32 + kStored) * kRoom + 2 * kReturned) {}
  std::uint32_t* words(std::size_t array) { return words_.data() + array * kRoom; }
  double* returned() { return reinterpret_cast<double*>(words(kFp32 + kStored)); }

 private:
  AlignedBuffer<std::uint32_t> words_;
};

// One call.
struct Trial {
  const KernelTable& kernels;
  ProbeMemory& memory;
  Dtype dtype;
  Activation activation;
  std::size_t n, round;

  std::size_t type() const { return index_of(dtype); }
  float* fp32(std::size_t array) const { return reinterpret_cast<float*>(memory.words(array)); }
  void* stored(std::size_t array) const { return memory.words(ProbeMemory::kFp32 + array); }
  // From a stored array to the next, in elements: two of them are two rows.
  std::size_t stored_ld() const { return ProbeMemory::kRoom * 4 / size_of(dtype); }
  double* returned() const { return memory.returned(); }
  // For arrays that a kernel leaves in any state.
  void clear(std::size_t array) const { std::fill_n(memory.words(array), ProbeMemory::kRoom, 0u); }
};

// A kernel of the table. Activations that it takes are tried one by one.
struct Probe {
  std::string_view name;
  std::span<const Dtype> dtypes;
  std::span<const Activation> activations;  // empty: it takes none
  void (*run)(const Trial&);
  std::size_t fp32, stored;  // arrays that it touches
  std::span<const std::size_t> lengths;
  std::size_t extent;     // elements of each array that it may touch, and some more
  std::size_t reduced;    // 0, or of so many elements each is also the only special one: it sums them up
  bool nan_bits = false;  // NaN keep their bits; else any NaN is as good as any other
  bool computed = false;  // its fp32 is what arithmetic gave: nothing subnormal
};

inline constexpr Dtype kFp32Alone[] = {Dtype::fp32};
inline constexpr Dtype kAllDtypes[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
inline constexpr std::size_t kAnyLength[] = {5, 16, 37, 141};
inline constexpr std::size_t kWholeLanes[] = {16, 48, 144};
inline constexpr std::size_t kBlockLengths[] = {16, 32};
inline constexpr std::size_t kRangeExtent = 320, kBlockExtent = ProbeMemory::kRoom;

// By subject; a file each.
std::span<const Probe> conversion_probes();
std::span<const Probe> range_probes();
std::span<const Probe> norm_probes();
std::span<const Probe> epilogue_probes();

}  // namespace halfstep::internal
