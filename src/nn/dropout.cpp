// Dropout (Srivastava et al., 2014).
#include <algorithm>
#include <cmath>

#include "nn/blocks.hpp"

namespace halfstep::internal {
namespace {

class DropoutBlock final : public RowBlock {
 public:
  DropoutBlock(double share, std::uint64_t seed, std::size_t layer)
      : mask_{std::clamp(static_cast<std::uint32_t>(std::lround(share * 65536)), 1u, 65535u), seed, layer} {}

  std::string describe() const override { return {}; }  // it is no part of the trained function
  bool join(RowEpilogue&, bool training) const override { return !training; }
  const DropoutMask* mask() const override { return &mask_; }
  void forward(const RowPart& part, float* x) const override { drop(part, x); }
  void backward(const RowPart& part, std::size_t, Dtype, float* d) const override { drop(part, d); }

 private:
  void drop(const RowPart& part, float* x) const {
    if (!part.pass.mask) return;
    part.kernels().dropout(part.padded(), x, mask_.place(part.pass, part.row, part.first, part.z.width), mask_.dropped);
  }

  DropoutMask mask_;
};

}  // namespace

std::unique_ptr<RowBlock> make_dropout(double share, std::uint64_t seed, std::size_t layer) {
  return std::make_unique<DropoutBlock>(share, seed, layer);
}

}  // namespace halfstep::internal
