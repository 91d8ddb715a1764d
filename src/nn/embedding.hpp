// The input of a network that reads a table: each column becomes a vector that is learned, and each member of an
// ensemble sees the row of vectors through a scale of its own.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nn/block.hpp"
#include "nn/network_shape.hpp"
#include "nn/periodic.hpp"

namespace halfstep::internal {

// Of a number x at place p between the knots of its column (p - k of the way from knot k to the next):
//   e = x w + b + s[0] + ... + s[k - 1] + (p - k) s[k]
// which is the linear map of the piecewise linear encoding (Gorishniy et al., 2022, "On embeddings for numerical
// features in tabular deep learning") beside a linear one of x; periodic functions of x may stand beside these. Of one
// that is missing, and of a category, e is a row of a table. The vectors of all columns stand side by side; with
// members each is a row of the output,
//   y[row * members + m] = e[row] * scale[m],
// as TabM has it (Gorishniy et al., 2024, "TabM: advancing tabular deep learning with parameter-efficient
// ensembling"). It works in fp32; the output is rounded once to the storage type.
class Embedding final : public Block {
 public:
  explicit Embedding(const NetworkShape& shape);

  std::string describe() const override;
  void list_parameters(std::vector<Parameter*>& list) override;
  void list_signals(std::vector<StoredSignal>& list) const override;
  BlockMemory memory() const override;
  void initialise(std::uint64_t seed) override;
  std::size_t width() const override { return columns_.size() * width_; }
  const Activations& output() const override { return y_; }

  // `pass.rows` are rows of x. A pass of the block above has `members` rows for each.
  void forward(const Pass& pass, const Activations& x, const SideTasks& beside) override;
  void backward(const Pass& pass, const Activations& x, Block* below, bool accumulate, StageWatch* watch) override;

  const GradientTargets& gradient_targets() override { return targets_; }
  BackwardEpilogue gradient_epilogue(const Pass& pass, const GradientTargets& targets) override;
  void finish_gradient(const Pass&, const GradientTargets&) override {}
  void input_gradient(const Pass&, Block&, const GradientTargets&) override {}
  void replay_output(const Pass&, const Activations&, const StorageTarget&) override {}
  void replay_stored(const Pass&, const Activations&, const StorageTarget&) override {}

 private:
  struct Column {
    ColumnEmbedding is;
    std::size_t input;  // the first of its inputs
    // Rows of the table. A number: slopes of its segments, then the vectors w, b and that of a missing one.
    std::size_t first;
    std::size_t first_periodic;  // of the parameters of its periodic functions
    PeriodicShape periodic;
    std::size_t segments() const { return is.number ? is.size : 0; }
    std::size_t rows() const { return is.number ? is.size + 3 : is.size; }
  };
  // Where a value lies in its column.
  struct Where {
    bool missing;
    std::size_t segment;
    float share;
  };
  // Columns of the output that are worked on at a time.
  struct Part {
    std::size_t first, columns, valid;  // padded, and those that hold something
  };
  static Where find(const Column& column, float place);
  static std::size_t code_of(const Column& column, float code);

  const float* table(std::size_t row) const { return table_.master.data() + row * width_; }
  bool has_periodic() const { return periodic_.elements() > 0; }
  float* gradient(std::size_t row) { return table_.gradient.data() + row * width_; }
  const float* d_row(std::size_t row) const { return reinterpret_cast<const float*>(d_.rows.data()) + row * d_.ld; }
  void add_up_slopes(const Pass& pass);
  void embed(const float* x, float* e) const;
  std::size_t parts() const;
  Part part(std::size_t index) const;
  void copy_scales();
  void store_pair(const KernelTable& kernels, std::size_t row, std::size_t rows);
  void scale_gradient(const Pass& pass, std::size_t task);
  void column_gradient(const Pass& pass, std::size_t index, const Activations& x, bool accumulate);
  void add(float factor, const float* x, float* sum) const;

  std::size_t width_, members_;
  std::vector<Column> columns_;
  Parameter table_, periodic_, scale_;
  AlignedBuffer<float> knots_;  // [rows of the table][width]: e at each knot, without x w
  AlignedBuffer<float> e_;      // [rows][padded width()]: of the last forward pass, then the gradient by it
  AlignedBuffer<float> zeros_;  // a row of them
  // The scales of the last forward pass, and the gradients by them from chunks of rows: [part][members][columns].
  AlignedBuffer<float> scales_, scale_sums_;
  Activations y_, d_;
  AlignedBuffer<float> sums_;    // that nobody reads
  AlignedBuffer<float> slopes_;  // sums over the rows of a step, see column_gradient
  GradientTargets targets_;
};

}  // namespace halfstep::internal
