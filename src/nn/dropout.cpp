// Dropout (Srivastava et al., 2014). Which outputs a step takes away is a function of seed, step, layer and place, so
// the backward pass, a repeated one and any number of threads see the same mask.
#include <algorithm>
#include <cmath>

#include "nn/blocks.hpp"

namespace halfstep::internal {
namespace {

class DropoutBlock final : public RowBlock {
 public:
  DropoutBlock(double share, std::uint64_t seed, std::size_t layer)
      : dropped_(std::clamp(static_cast<std::uint32_t>(std::lround(share * 65536)), 1u, 65535u)),
        seed_(seed),
        layer_(layer) {}

  std::string describe() const override { return {}; }  // it is no part of the trained function
  bool join(RowEpilogue&, bool training) const override { return !training; }
  void forward(const RowPart& part, float* x) const override { drop(part, x); }
  void backward(const RowPart& part, std::size_t, Dtype, float* d) const override { drop(part, d); }

 private:
  // A stream for each step and layer, beside those of the optimizer (optim/optimizer.cpp). Every row starts a group of
  // random numbers.
  void drop(const RowPart& part, float* x) const {
    if (!part.pass.mask) return;
    const std::size_t place = (part.pass.first_row + part.row) * round_up(part.z.width, kRandomGroup) + part.first;
    const std::uint64_t stream = *part.pass.mask << 24 | layer_ << 2 | 3;
    part.kernels().dropout(part.padded(), x, {seed_, stream, place}, dropped_);
  }

  std::uint32_t dropped_;  // 65536 times the share
  std::uint64_t seed_;
  std::size_t layer_;
};

}  // namespace

std::unique_ptr<RowBlock> make_dropout(double share, std::uint64_t seed, std::size_t layer) {
  return std::make_unique<DropoutBlock>(share, seed, layer);
}

}  // namespace halfstep::internal
