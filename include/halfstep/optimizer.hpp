// What an update does: the rule and how its state is kept.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "halfstep/types.hpp"

namespace halfstep {

constexpr std::string_view name(OptimizerKind kind) {
  constexpr std::string_view kNames[] = {"sgd", "adam", "adamw", "lion"};
  return kNames[static_cast<std::size_t>(kind)];
}
constexpr std::string_view name(MasterKind kind) {
  return kind == MasterKind::fp32 ? "fp32" : kind == MasterKind::kahan ? "kahan" : "stochastic";
}

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double momentum = 0.9;  // sgd
  bool nesterov = false;  // sgd
  double beta1 = 0.9;     // adam, adamw, lion
  double beta2 = 0.999;   // adam, adamw, lion (0.99 suits lion)
  double epsilon = 1e-8;  // adam, adamw
  double weight_decay = 0.01;
  Dtype moments = Dtype::fp32;           // how they lie in memory; 16-bit ones are rounded by chance
  MasterKind master = MasterKind::fp32;  // kahan and stochastic: of 16-bit weights without a master
  std::uint64_t seed = 0;                // of stochastic rounding
};

}  // namespace halfstep
