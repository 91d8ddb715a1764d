// Types shared by the whole public face.
#pragma once
#include <cstdint>
#include <string_view>

namespace halfstep {

// How numbers lie in memory. Arithmetic and accumulation are always fp32.
enum class Dtype : std::uint8_t { fp32, bf16, fp16 };

constexpr std::string_view name(Dtype dtype) {
  return dtype == Dtype::fp32 ? "fp32" : dtype == Dtype::bf16 ? "bf16" : "fp16";
}

enum class Activation : std::uint8_t {
  identity,
  relu,
  gelu,
  gelu_tanh,
  silu,
  tanh,
  sigmoid,
  leaky_relu,  // slope 0.01 below zero
  elu,         // alpha 1
  softplus     // beta 1
};

constexpr std::string_view name(Activation activation) {
  constexpr std::string_view kNames[] = {"identity", "relu",    "gelu",       "gelu_tanh", "silu",
                                         "tanh",     "sigmoid", "leaky_relu", "elu",       "softplus"};
  return kNames[static_cast<std::size_t>(activation)];
}

// Of the pre-activations of a hidden layer: row by row, or (batch) column by column over the rows of a batch.
enum class Norm : std::uint8_t { none, layer, rms, batch };

constexpr std::string_view name(Norm norm) {
  constexpr std::string_view kNames[] = {"none", "layer", "rms", "batch"};
  return kNames[static_cast<std::size_t>(norm)];
}

enum class LossKind : std::uint8_t { cross_entropy, binary_cross_entropy, mse, huber };

enum class OptimizerKind : std::uint8_t { sgd, adam, adamw, lion };

// What the optimizer updates: fp32 master weights, or the 16-bit working weights themselves, with what rounding lost
// kept beside them (kahan) or rounded up or down by chance (stochastic).
enum class MasterKind : std::uint8_t { fp32, kahan, stochastic };

// portable: the same bits on every ISA. native: also kernels that round as the CPU's own instructions do, where those
// are faster; the same bits on the same ISA.
enum class Math : std::uint8_t { portable, native };

constexpr std::string_view name(Math math) { return math == Math::portable ? "portable" : "native"; }

enum class Task : std::uint8_t { automatic, classify, regress };

}  // namespace halfstep
