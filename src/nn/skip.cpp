// The layer's input added to its output (He et al., 2015, "Deep residual learning"). Its gradient needs no pass: the
// product that makes the gradient by the layer's input adds it (BackwardEpilogue::add_d_y).
#include "base/dtype.hpp"
#include "gemm/tiling.hpp"
#include "nn/blocks.hpp"

namespace halfstep::internal {
namespace {

class SkipBlock final : public RowBlock {
 public:
  std::string describe() const override { return "residual"; }
  bool join(RowEpilogue& epilogue, bool) const override {
    epilogue.skip = true;
    return true;
  }
  void forward(const RowPart& part, float* x) const override {
    const std::byte* from = at(part.skip.data, (part.row * part.skip.ld + part.first) * size_of(part.skip.dtype));
    part.kernels().add_stored[index_of(part.skip.dtype)](part.padded(), from, x);
  }
  void backward(const RowPart&, std::size_t, Dtype, float*) const override {}
};

}  // namespace

std::unique_ptr<RowBlock> make_skip() { return std::make_unique<SkipBlock>(); }

}  // namespace halfstep::internal
