// What the public gradient pass and the fused update share.
#pragma once
#include "halfstep/gradients.hpp"
#include "run/machine.hpp"

namespace halfstep {

using namespace internal;

struct GradientPass::Impl {
  explicit Impl(const Options& options) : machine(options) {}
  Machine machine;
};

}  // namespace halfstep
