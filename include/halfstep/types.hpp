// Types shared by the whole public face.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "halfstep/enum_names.hpp"

namespace halfstep {

// How numbers lie in memory. Arithmetic and accumulation are always fp32.
enum class Dtype : std::uint8_t { fp32, bf16, fp16 };

template <>
inline constexpr std::array<std::string_view, 3> kEnumNames<Dtype> = {"fp32", "bf16", "fp16"};

// What a hidden layer makes of its sums, element by element.
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
  softplus,    // beta 1
  selu
};

template <>
inline constexpr std::array<std::string_view, 11> kEnumNames<Activation> = {
    "identity", "relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "leaky_relu", "elu", "softplus", "selu"};

// Of the pre-activations of a hidden layer: row by row, or (batch) column by column over the rows of a batch.
enum class Norm : std::uint8_t { none, layer, rms, batch };

template <>
inline constexpr std::array<std::string_view, 4> kEnumNames<Norm> = {"none", "layer", "rms", "batch"};

// What training makes small.
enum class LossKind : std::uint8_t { cross_entropy, binary_cross_entropy, mse, huber, mae };

template <>
inline constexpr std::array<std::string_view, 5> kEnumNames<LossKind> = {"cross_entropy", "binary_cross_entropy", "mse",
                                                                         "huber", "mae"};

// The rule of an update. OptimizerOptions has the numbers that each uses.
enum class OptimizerKind : std::uint8_t { sgd, adam, adamw, lion, radam, muon };

template <>
inline constexpr std::array<std::string_view, 6> kEnumNames<OptimizerKind> = {"sgd",  "adam",  "adamw",
                                                                              "lion", "radam", "muon"};

// What the optimizer updates: fp32 master weights, or the 16-bit working weights themselves, with what rounding lost
// kept beside them (kahan) or rounded up or down by chance (stochastic).
enum class MasterKind : std::uint8_t { fp32, kahan, stochastic };

template <>
inline constexpr std::array<std::string_view, 3> kEnumNames<MasterKind> = {"fp32", "kahan", "stochastic"};

// The learning rate after the warmup. cosine and linear end at zero. step drops it `decays` times, each time to `decay`
// of what it was, at equal distances. one_cycle (Smith and Topin, 2018) has a warmup of its own: along cosines from lr
// / 25 to lr over the first three tenths, then down to lr / 250000. plateau drops it to `decay` of what it was when
// `decay_patience` epochs have brought no better metric. flat_cosine and coslog are those of RealMLP (Holzmueller and
// others, 2024): flat_cosine stays for the first half and ends at zero along a cosine over the second; coslog rises
// from zero and falls back to it four times, each time over twice as many steps.
enum class ScheduleKind : std::uint8_t { constant, cosine, linear, step, one_cycle, plateau, flat_cosine, coslog };

template <>
inline constexpr std::array<std::string_view, 8> kEnumNames<ScheduleKind> = {
    "constant", "cosine", "linear", "step", "one_cycle", "plateau", "flat_cosine", "coslog"};

// portable: the same bits on every ISA. native: also kernels that round as the CPU's own instructions do, where those
// are faster; the same bits on the same ISA.
enum class Math : std::uint8_t { portable, native };

template <>
inline constexpr std::array<std::string_view, 2> kEnumNames<Math> = {"portable", "native"};

// What the target of a table is: classes or values; automatic: by what stands in it.
enum class Task : std::uint8_t { automatic, classify, regress };

template <>
inline constexpr std::array<std::string_view, 3> kEnumNames<Task> = {"auto", "classify", "regress"};

}  // namespace halfstep
