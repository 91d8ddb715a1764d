// Reads what a step rounded. The storage types forget, so the products of the step run once more with fp32 targets: the
// same operands and sums give the values before their rounding.
#pragma once
#include <span>

#include "gemm/gemm.hpp"
#include "halfstep/meters.hpp"
#include "nn/network.hpp"

namespace halfstep::internal {

// Counts n values (any n) as `storage` would keep them.
void count_storage(const KernelTable& kernels, std::size_t n, const float* values, TensorMeter& meter);

class StepMeter {
 public:
  explicit StepMeter(Network& network);

  // After the first forward pass of a step, which may still have updated weights.
  void begin();
  // After the backward pass of each part. `logits_gradient` writes the gradient by the logits to a target.
  template <class F>
  void read_part(GemmContext& context, std::size_t rows, F logits_gradient) {
    logits_gradient(scratch_target(network_.shape().outputs_of_layer(network_.shape().layers() - 1)), sums_.data());
    read(context, rows);
  }
  // After an update, or without one.
  void finish(bool applied, double loss_scale);

  const MeterReport& report() const { return report_; }
  void set_step(std::int64_t step) { report_.step = step; }
  std::size_t memory_bytes() const;
  void visit_state(StateVisitor& visitor);  // the report

 private:
  void read(GemmContext& context, std::size_t rows);
  StorageTarget scratch_target(std::size_t columns);
  // That of this name, which earlier parts may have begun.
  TensorMeter& meter_of(const std::string& tensor, Dtype storage);
  // And the weight gradient that follows from it, where it is a gradient: that of all parts so far.
  void add(const KernelTable& kernels, std::size_t rows, const Network::Replayed& r);

  // A matrix, and its packed weights before the update.
  struct Weight {
    const Parameter* parameter;
    AlignedBuffer<std::byte> before_update;
  };

  Network& network_;
  AlignedBuffer<float> scratch_, sums_;  // matrices of activations before rounding, their column sums
  std::vector<Weight> weights_;
  MeterReport report_;
};

}  // namespace halfstep::internal
