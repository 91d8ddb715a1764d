// Normalisation: how a pass reads the rows that a product has left. It trains a gain (gamma) and mostly a bias (beta).
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/parameter.hpp"
#include "nn/row_block.hpp"

namespace halfstep::internal {

inline constexpr float kNormEpsilon = 1e-5f;

// Bytes beside parameters.
struct BlockMemory {
  std::size_t activations = 0;
  std::size_t activation_gradients = 0;
};

class NormBlock {
 public:
  virtual ~NormBlock() = default;
  virtual std::string describe() const = 0;                  // "layer norm"
  std::span<Parameter> parameters() { return parameters_; }  // gamma, beta, running statistics
  virtual BlockMemory memory() const = 0;

  // Gamma 1, beta 0, running variance 1, running mean 0.
  virtual void initialise() = 0;

  // By rows: statistics are those of each row. Else they are those of columns, over the batch.
  virtual bool by_row() const = 0;
  // Fewest rows of a batch to train on.
  virtual std::size_t least_rows() const { return 1; }

  // Before the rows of a pass: statistics of columns.
  virtual void prepare(const Pass&, const StoredRows& /*z*/) {}
  // After a training step's forward pass: the batch becomes pending in the running statistics.
  virtual void follow(const Pass&) {}
  // Statistics of rows `row` and row + 1, by row. Where `centred` [2][centred_ld] is not null it gets z less its mean.
  virtual void measure_rows(const KernelTable&, const StoredRows& /*z*/, std::size_t /*row*/, float* /*centred*/,
                            std::size_t /*centred_ld*/) {}

  // Normalised columns of a row to `x`. `centred`: x holds them less their mean.
  virtual void read(const RowPart& part, bool centred, float* x) const = 0;
  // Two measured rows at once, from `centred` to y, with one of the activations identity and relu.
  virtual void finish_rows(const KernelTable&, Activation, std::size_t row, const float* centred,
                           std::size_t centred_ld, const StorageTarget& y) const = 0;

  // The gradient by the normalised row `d` to that by z, in place; and what the row adds to the sums of gamma and beta.
  // By column: the sums only.
  virtual void backward_row(const KernelTable&, const StoredRows& z, std::size_t row, float* d) = 0;
  // By column, after all rows: the gradient by z, in d_z [rows][padded width] and to `d`.
  virtual void backward_columns(const Pass&, const StoredRows& /*z*/, float* /*d_z*/, const StorageTarget& /*d*/) {}

 protected:
  const Parameter& gamma() const { return parameters_[0]; }
  std::vector<Parameter> parameters_;
};

// Layer norm (Ba et al., 2016) and RMS norm (Zhang and Sennrich, 2019), of rows of `width`.
std::unique_ptr<NormBlock> make_row_norm(Norm kind, const std::string& layer, std::size_t width,
                                         const ParameterUse& use);
std::unique_ptr<NormBlock> make_batch_norm(const std::string& layer, std::size_t width, const ParameterUse& use);

}  // namespace halfstep::internal
