#include "bench/kernel_arrays.hpp"

#include <algorithm>
#include <vector>

#include "base/dtype.hpp"
#include "base/float16.hpp"
#include "base/rng.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 15;  // elements, at most
constexpr float kMost = 4.0f;

std::size_t round_up_to(std::size_t n, std::size_t grain) { return (n + grain - 1) / grain * grain; }

void put(Dtype dtype, std::byte* p, float value) {
  if (dtype == Dtype::fp32) *reinterpret_cast<float*>(p) = value;
  if (dtype == Dtype::bf16) *reinterpret_cast<Bf16*>(p) = to_bf16(value);
  if (dtype == Dtype::fp16) *reinterpret_cast<Fp16*>(p) = to_fp16(value);
}

}  // namespace

KernelArrays::KernelArrays(const KernelRow& row, Dtype dtype, std::size_t elements)
    : row_(row),
      dtype_(dtype),
      pieces_((elements + kPiece - 1) / kPiece),
      piece_(round_up_to((elements + pieces_ - 1) / pieces_, kPieceGrain)) {
  for (std::size_t i = 0; i < kFp32Arrays; ++i) {
    take(fp32_[i], row.fp32[i], 4);
    fill(fp32_[i], Dtype::fp32, i == 3 ? 0 : -kMost);
  }
  for (std::size_t i = 0; i < kStoredArrays; ++i) {
    take(stored_[i], row.stored[i], size_of(dtype));
    fill(stored_[i], dtype, -kMost);
  }
}

void KernelArrays::take(Array& array, ArrayUse use, std::size_t element) {
  if (use == ArrayUse::none) return;
  array.element = element;
  array.offset = arrays_++ * 5 * kCacheLine;
  array.memory = AlignedBuffer<std::byte>(array.offset + elements() * element);
}

// Drawing every element would take longer than the benchmark.
void KernelArrays::fill(Array& array, Dtype dtype, float least) {
  if (array.element == 0) return;
  constexpr std::size_t kPeriod = 4099;
  const Rng rng(1, arrays_);
  const std::size_t drawn = std::min(kPeriod, elements());
  for (std::size_t i = 0; i < drawn; ++i) put(dtype, array.at(i), least + (kMost - least) * rng.uniform(i));
  for (std::size_t i = drawn; i < elements(); i += kPeriod) {
    std::copy_n(array.at(0), std::min(kPeriod, elements() - i) * array.element, array.at(i));
  }
}

KernelPiece KernelArrays::piece(const KernelTable& kernels, std::size_t turn) {
  const std::size_t first = turn % pieces_ * piece_;
  KernelPiece piece = {kernels, piece_, dtype_, {}, {}};
  for (std::size_t i = 0; i < kFp32Arrays; ++i) {
    if (fp32_[i].element > 0) piece.fp32[i] = reinterpret_cast<float*>(fp32_[i].at(first));
  }
  for (std::size_t i = 0; i < kStoredArrays; ++i) {
    if (stored_[i].element > 0) piece.stored[i] = stored_[i].at(first);
  }
  return piece;
}

}  // namespace halfstep::internal
