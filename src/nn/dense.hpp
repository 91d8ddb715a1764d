// A dense layer: y = rows(x W^T + b), where rows are what follows the product row by row (row_chain.hpp). All but norms
// and, while training, dropout ride in the product's epilogue; so does the derivative on the way back, in the epilogue
// of the product above, and there that of dropout behind a ReLU too.
#pragma once
#include <memory>

#include "nn/block.hpp"
#include "nn/row_chain.hpp"

namespace halfstep::internal {

struct DensePlan {
  std::string name;   // "layers.0"
  std::size_t index;  // among the blocks of the network
  WeightLayout layout;
  Dtype dtype;           // of weights, input and d: all that the products of this layer read
  Dtype output_dtype;    // that of the layer above
  bool is_last = false;  // its output are logits, in fp32
  ParameterUse use;
};

class Dense final : public Block {
 public:
  Dense(const DensePlan& plan, RowChain chain);

  std::string describe() const override { return chain_.describe(); }
  void list_parameters(std::vector<Parameter*>&) override;
  void list_signals(std::vector<StoredSignal>&) const override;
  BlockMemory memory() const override;
  void initialise(std::uint64_t seed) override;
  std::size_t width() const override { return weight_.strips.out; }
  std::size_t least_rows() const override { return chain_.norm ? chain_.norm->least_rows() : 1; }
  bool wants_d_y() const override {
    return d_.rows.size() > 0 && (epilogue_[1] ? epilogue_[1]->skip : chain_.relu_mask() == nullptr);
  }
  bool wants_d_z() const override { return d_.rows.size() > 0 && !epilogue_[1] && skips_; }

  const Activations& output() const override { return y_; }
  void forward(const Pass&, const Activations& x, const SideTasks& beside) override;
  void backward(const Pass&, const Activations& x, Block* below, bool accumulate, StageWatch* watch) override;

  const GradientTargets& gradient_targets() override { return targets_; }
  BackwardEpilogue gradient_epilogue(const Pass&, const GradientTargets& targets) override;
  void finish_gradient(const Pass&, const GradientTargets& targets) override;
  void input_gradient(const Pass&, Block& below, const GradientTargets& targets) override;

  void replay_output(const Pass&, const Activations& x, const StorageTarget& y) override;
  void replay_stored(const Pass&, const Activations& x, const StorageTarget& z) override;
  bool stores_pre_activations() const override { return chain_.norm != nullptr; }

  float* logits() { return logits_.data(); }

 private:
  const std::optional<RowEpilogue>& epilogue(const Pass& pass) const { return epilogue_[pass.mask ? 1 : 0]; }
  StoredRows stored() const { return {z_.data(), y_.ld, y_.dtype, width()}; }
  void product(const Pass&, const Activations& x, const StorageTarget& z, const SideTasks& beside);
  void forward_to(const Pass&, const Activations& x, const StorageTarget& y, std::byte* z, const SideTasks& beside);
  InputGradientProduct input_product(const Pass&, Block& below, const GradientTargets& targets) const;
  void vector_gradients(const Pass&, bool accumulate);

  std::string name_;
  std::size_t index_;
  Parameter weight_, bias_;
  RowChain chain_;
  std::optional<RowEpilogue> epilogue_[2];  // not training, training
  bool skips_ = false;                      // its input is added to its output
  Activations y_;                           // in the last layer: nothing
  AlignedBuffer<std::byte> z_;  // rows in y's type and stride, where a row pass or the derivative needs them
                                // (ForwardEpilogue::z)
  Activations d_;               // gradient by the pre-activation
  AlignedBuffer<float> logits_;
  GradientTargets targets_;
};

}  // namespace halfstep::internal
