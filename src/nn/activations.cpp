#include "nn/activations.hpp"

namespace halfstep::internal {

Activations make_activations(std::size_t rows, std::size_t columns, Dtype dtype, bool panels) {
  Activations a;
  a.dtype = dtype;
  a.ld = leading_dimension(columns, size_of(dtype));
  a.panel_stride = rows * kLanes;
  a.rows = AlignedBuffer<std::byte>(rows * a.ld * size_of(dtype));
  if (panels) a.panels = AlignedBuffer<std::byte>(rows * pad_columns(columns) * size_of(dtype));
  return a;
}

}  // namespace halfstep::internal
