// From the outputs of a network, or of an ensemble's members, to those of one model.
#pragma once
#include <cstddef>
#include <vector>

#include "base/arena.hpp"
#include "gemm/layout.hpp"
#include "kernels/table.hpp"
#include "metrics/output_meaning.hpp"

namespace halfstep::internal {

// Values are averaged, of classes the probabilities; what comes out are logits, for those who read the outputs of a
// single network. Then logits of classes are divided by the model's temperature, here and nowhere else.
class MemberMean {
 public:
  MemberMean(const KernelTable& kernels, const OutputMeaning& meaning, std::size_t columns, std::size_t members);

  // `logits`: rows of the members of one example, `ld` apart, as Network::logits has them. The result has `columns`
  // numbers, zeros behind them up to a multiple of 16, and is valid until the next call. Not finite where one of
  // those read is not.
  const float* of(const float* logits, std::size_t ld);
  std::size_t members() const { return members_; }
  // Whether of() only hands on what it is given.
  bool passes_on() const { return members_ == 1 && temperature_ == 1; }
  // How far the members' values lie apart: the standard deviation of each column, 0 of a single network. `logits` as
  // for of(), `out` has `columns`. Not finite where one of those read is not.
  void spread(const float* logits, std::size_t ld, double* out) const;

 private:
  void add_probabilities(const float* logits);
  void average(const float* logits, std::size_t ld);
  void divide(const float* logits);
  float logit(std::size_t column) const;

  const KernelTable& kernels_;
  bool classification_, softmax_;
  double temperature_;
  std::size_t columns_, members_;
  AlignedBuffer<float> member_, out_;
  std::vector<double> sums_, others_;  // of values or probabilities; of those that it is not this class
};

}  // namespace halfstep::internal
