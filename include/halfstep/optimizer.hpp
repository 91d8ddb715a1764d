// What an update does: the rule and how its state is kept.
#pragma once
#include <cstdint>

#include "halfstep/types.hpp"

namespace halfstep {

// An optimizer but for its learning rate, which each update is given. muon treats the weights of hidden layers as
// matrices and all else as adamw does; it is for networks, not for arrays that have no shape.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adamw;
  double momentum = 0.9;  // sgd
  bool nesterov = false;  // sgd
  double beta1 = 0.9;     // adam, adamw, radam, lion, muon
  double beta2 = 0.999;   // adam, adamw, radam, lion (0.99 suits lion), muon
  double epsilon = 1e-8;  // adam, adamw, radam, muon
  double weight_decay = 0.01;
  Dtype moments = Dtype::fp32;           // how they lie in memory; 16-bit ones are rounded by chance
  MasterKind master = MasterKind::fp32;  // kahan and stochastic: of 16-bit weights without a master
  std::uint64_t seed = 0;                // of stochastic rounding
  double muon_momentum = 0.95;           // muon: of the matrices of hidden layers
};

}  // namespace halfstep
