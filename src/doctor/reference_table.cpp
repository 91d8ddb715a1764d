#include "doctor/reference_table.hpp"

#include "base/dtype.hpp"
#include "base/float16.hpp"

namespace halfstep::internal {
namespace {

std::uint16_t narrow(Bf16, float value) { return to_bf16(value).bits; }
std::uint16_t narrow(Fp16, float value) { return to_fp16(value).bits; }

template <class Half>
void to_storage(std::size_t n, const float* from, void* to) {
  for (std::size_t i = 0; i < n; ++i) static_cast<std::uint16_t*>(to)[i] = narrow(Half{}, from[i]);
}

template <class Half>
void to_single(std::size_t n, const void* from, float* to) {
  for (std::size_t i = 0; i < n; ++i) to[i] = to_fp32(Half{static_cast<const std::uint16_t*>(from)[i]});
}

}  // namespace

KernelTable reference_table(const KernelTable& scalar) {
  KernelTable table = scalar;
  table.from_fp32[index_of(Dtype::bf16)] = to_storage<Bf16>;
  table.from_fp32[index_of(Dtype::fp16)] = to_storage<Fp16>;
  table.to_fp32[index_of(Dtype::bf16)] = to_single<Bf16>;
  table.to_fp32[index_of(Dtype::fp16)] = to_single<Fp16>;
  return table;
}

}  // namespace halfstep::internal
