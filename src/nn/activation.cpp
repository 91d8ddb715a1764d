#include "base/dtype.hpp"
#include "nn/blocks.hpp"
#include "nn/row_chain.hpp"

namespace halfstep::internal {
namespace {

class ActivationBlock final : public RowBlock {
 public:
  explicit ActivationBlock(Activation activation) : activation_(activation) {}

  std::string describe() const override { return std::string(name(activation_)); }

  bool join(RowEpilogue& epilogue, bool) const override {
    if (epilogue.has_activation || epilogue.skip) return false;
    epilogue.activation = activation_;
    epilogue.has_activation = true;
    return true;
  }

  void forward(const RowPart& part, float* x) const override {
    part.kernels().activate[index_of(part.z.dtype)](activation_, part.padded(), x, x);
  }

  void backward(const RowPart& part, std::size_t index, Dtype stored, float* d) const override {
    if (activation_ == Activation::identity) return;
    alignas(kCacheLine) float saved[kRowPart];
    part.chain.input_of(part, index, saved);
    if (!derivative_needs_input(activation_)) forward(part, saved);
    part.kernels().differentiate[index_of(stored)](activation_, part.padded(), saved, d, d);
  }

 private:
  Activation activation_;
};

}  // namespace

std::unique_ptr<RowBlock> make_activation(Activation activation) {
  return std::make_unique<ActivationBlock>(activation);
}

}  // namespace halfstep::internal
