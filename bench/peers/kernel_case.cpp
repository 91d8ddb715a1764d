#include "peers/kernel_case.hpp"

#include <cmath>
#include <iterator>

#include "base/float16.hpp"
#include "base/rng.hpp"

namespace halfstep::peers {

using namespace internal;

std::string_view name(RowKernel kernel) {
  constexpr std::string_view kNames[] = {"relu", "gelu",    "gelu_tanh",  "silu",
                                         "tanh", "sigmoid", "layer_norm", "softmax"};
  static_assert(std::size(kNames) == static_cast<std::size_t>(RowKernel::softmax) + 1);
  return kNames[static_cast<std::size_t>(kernel)];
}

std::string_view name(Way way) { return way == Way::forward ? "forward" : "backward"; }

float saved_value(const KernelShape& shape, std::size_t element) {
  const float x = Rng(1, 1).normal(element);
  if (shape.way == Way::forward) return x;
  if (shape.kernel == RowKernel::relu) return x > 0 ? x : 0;
  if (shape.kernel == RowKernel::tanh) return std::tanh(x);
  if (shape.kernel == RowKernel::sigmoid) return 1 / (1 + std::exp(-x));
  return x;
}

float gradient_value(std::size_t element) { return Rng(1, 2).normal(element); }

float element_of(Dtype dtype, const void* data, std::size_t element) {
  if (dtype == Dtype::bf16) return to_fp32(static_cast<const Bf16*>(data)[element]);
  if (dtype == Dtype::fp16) return to_fp32(static_cast<const Fp16*>(data)[element]);
  return static_cast<const float*>(data)[element];
}

void put_element(Dtype dtype, void* data, std::size_t element, float value) {
  if (dtype == Dtype::bf16) static_cast<Bf16*>(data)[element] = to_bf16(value);
  if (dtype == Dtype::fp16) static_cast<Fp16*>(data)[element] = to_fp16(value);
  if (dtype == Dtype::fp32) static_cast<float*>(data)[element] = value;
}

}  // namespace halfstep::peers
