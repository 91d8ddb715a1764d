// Kernels, threads and their scratch memory: what a product needs besides its operands.
#pragma once
#include <cstddef>
#include <vector>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "gemm/plan_cache.hpp"
#include "gemm/scratch.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::internal {

class GemmContext {
 public:
  GemmContext(const KernelTable& kernels, Executor& executor);

  const KernelTable& kernels;
  Executor& executor;

  // Both are chosen for this CPU, and neither changes a bit.
  bool widen_once;  // a right operand is converted by one tile for all, where tiles can do that
  bool dot_bf16;    // products by the CPU's bf16 instruction, where the ISA has one; else by fma

  PlanCache plans;

  const GemmFamily& family(Dtype dtype) const {
    const GemmFamily& f = kernels.gemm[index_of(dtype)];
    return f.by_fma && !dot_bf16 ? *f.by_fma : f;
  }
  // The tiles that follow the first over a right operand, where that converts it for them; else null.
  const GemmFamily* on_widened(const GemmFamily& f) const { return widen_once ? f.on_widened : nullptr; }

  // What threads call around the tasks of a product.
  WorkerHooks hooks() const { return {kernels.enter, kernels.leave}; }

  Scratch scratch(int worker) {
    const auto index = static_cast<std::size_t>(worker);
    return Scratch(floats_.data() + index * Scratch::kFloats, converted_[index]);
  }
  static constexpr std::size_t kWorkerFloats = Scratch::kFloats;

  // Another number for each run of a product.
  std::size_t next_product() { return ++products_; }

 private:
  AlignedBuffer<float> floats_;
  std::vector<ConvertedRows> converted_;
  std::size_t products_ = 0;
};

}  // namespace halfstep::internal
