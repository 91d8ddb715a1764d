// What a model says of rows: its network, or several that were trained on different parts of the rows, together.
#pragma once
#include <cstddef>
#include <list>
#include <optional>
#include <vector>

#include "base/arena.hpp"
#include "gemm/gemm.hpp"
#include "metrics/output_meaning.hpp"
#include "nn/network.hpp"
#include "train/member_mean.hpp"
#include "train/row_loader.hpp"

namespace halfstep::internal {

// Networks of the same inputs and outputs, at least one. They outlive it.
struct Networks {
  Networks(Network& one) : all{&one} {}
  explicit Networks(std::list<Network>& many) {
    for (Network& network : many) all.push_back(&network);
  }

  std::vector<Network*> all;
};

// Forward passes, and what comes out for each row. Its memory is taken when it is made.
class JointOutputs {
 public:
  JointOutputs(GemmContext& context, Networks networks, const OutputMeaning& meaning);

  std::size_t columns() const { return first().shape().widths.back(); }
  std::size_t most_rows() const { return first().shape().max_rows; }

  // At most most_rows(), of which the functions below tell by their place in the pass.
  void pass(const InputRows& from, const RowOrder& order);
  // Logits of a row: columns() numbers, zeros behind them up to a multiple of 16, valid until the next call. Of an
  // ensemble what its members say together, of several networks what these do: see MemberMean.
  const float* of(std::size_t row);
  // How far the outputs of members lie apart within a network: `out` has columns(). See MemberMean.
  void spread(std::size_t row, double* out) const;
  // Whether of() gives the rows of the network's own logits.
  bool passes_on() const { return !of_networks_ && members_.front().passes_on(); }
  const Network& first() const { return *networks_.all.front(); }

 private:
  const float* logits_of(std::size_t network, std::size_t row) const;

  GemmContext& context_;
  Networks networks_;
  RowLoader loader_;
  std::vector<MemberMean> members_;        // of each network
  std::optional<MemberMean> of_networks_;  // where there are several, which are its members
  AlignedBuffer<float> beside_;            // what each of several says of a row, one behind the other
};

}  // namespace halfstep::internal
