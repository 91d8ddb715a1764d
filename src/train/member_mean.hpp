// From the outputs of an ensemble's members to those of one model.
#pragma once
#include <cstddef>
#include <vector>

#include "base/arena.hpp"
#include "gemm/layout.hpp"
#include "kernels/table.hpp"
#include "metrics/output_meaning.hpp"

namespace halfstep::internal {

// Values are averaged, of classes the probabilities; what comes out are logits, for those who read the outputs of a
// single network.
class MemberMean {
 public:
  MemberMean(const KernelTable& kernels, const OutputMeaning& meaning, std::size_t columns, std::size_t members);

  // `logits`: rows of the members of one example, `ld` apart, as Network::logits has them. The result has `columns`
  // numbers, zeros behind them up to a multiple of 16, and is valid until the next call. Not finite where one of
  // those read is not.
  const float* of(const float* logits, std::size_t ld);
  std::size_t members() const { return members_; }

 private:
  void add_probabilities(const float* logits);
  float logit(std::size_t column) const;

  const KernelTable& kernels_;
  bool classification_, softmax_;
  std::size_t columns_, members_;
  AlignedBuffer<float> member_, out_;
  std::vector<double> sums_, others_;  // of values or probabilities; of those that it is not this class
};

}  // namespace halfstep::internal
