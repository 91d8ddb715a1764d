// Matrix products of the single operations, over the forward product of a layer.
#include <cstring>

#include "api/operations_impl.hpp"
#include "gemm/gemm.hpp"

namespace halfstep {

using namespace internal;
namespace {

// A matrix, or its transpose, as it is read.
struct Operand {
  Matrix matrix;
  bool transposed = false;

  std::size_t rows() const { return transposed ? matrix.columns : matrix.rows; }
  std::size_t columns() const { return transposed ? matrix.rows : matrix.columns; }
};

// Up to 16 rows and 64 columns as fp32, [16][ld], zero where the operand has none.
void load_block(const KernelTable& kernels, const Operand& from, std::size_t row, std::size_t column, std::size_t ld,
                float* block) {
  const std::size_t rows = std::min(kLanes, from.rows() - std::min(row, from.rows()));
  const std::size_t columns = std::min(ld, from.columns() - std::min(column, from.columns()));
  const auto to_fp32 = kernels.to_fp32[index_of(from.matrix.dtype)];
  const std::size_t element = size_of(from.matrix.dtype);
  if (rows < kLanes || columns < ld) std::fill_n(block, kLanes * ld, 0.0f);
  if (!from.transposed) {
    for (std::size_t r = 0; r < rows; ++r)
      to_fp32(columns, row_of(from.matrix, row + r) + column * element, block + r * ld);
    return;
  }
  for (std::size_t c = 0; c < columns; ++c) {
    float lanes[kLanes];
    to_fp32(rows, row_of(from.matrix, column + c) + row * element, lanes);
    for (std::size_t r = 0; r < rows; ++r) block[r * ld + c] = lanes[r];
  }
}

// Weights in the order of a forward product.
void pack_weights(Executor& executor, const KernelTable& kernels, const Operand& weights, const WeightLayout& layout,
                  Dtype dtype, std::byte* panels) {
  const std::size_t element = size_of(dtype);
  executor.run(layout.strips(), [&](std::size_t strip, int) {
    alignas(kCacheLine) float block[kLanes * kBlockColumns];
    for (std::size_t b = 0; b < layout.blocks(); ++b) {
      const std::size_t column = b * kBlockColumns, columns = layout.block_columns(b);
      load_block(kernels, weights, strip * kLanes, column, columns, block);
      kernels.pack_strip[index_of(dtype)](
          columns, block, panels + (strip * layout.forward_panel() + column * kLanes) * element, nullptr, 0);
    }
  });
}

// Rows as a product reads and an epilogue writes them: an even number, padding behind them.
template <class M>
bool is_as_kernels_want(const M& m) {
  constexpr std::size_t kAlignment = 16;
  const std::size_t row_bytes = stride_of(m.stride, m.columns) * size_of(m.dtype);
  return m.rows % 2 == 0 && m.columns % kLanes == 0 && row_bytes % kAlignment == 0 &&
         reinterpret_cast<std::uintptr_t>(m.data) % kAlignment == 0;
}

struct Place {
  std::size_t rows, width, ld, element;
  Place(std::size_t n, std::size_t columns, Dtype dtype)
      : rows(pad_rows(n)),
        width(pad_columns(columns)),
        ld(leading_dimension(columns, size_of(dtype))),
        element(size_of(dtype)) {}
  std::size_t bytes() const {
    if (rows > static_cast<std::size_t>(PTRDIFF_MAX) / element / ld) refuse_at("larger than any memory", "rows");
    return rows * ld * element;
  }
};

// An operand where it is or, where kernels cannot read it there, in `room`.
RowsOperand rows_operand(Executor& executor, const KernelTable& kernels, const Operand& from, Dtype dtype, Room& room) {
  const Matrix& m = from.matrix;
  if (!from.transposed && m.dtype == dtype && is_as_kernels_want(m)) {
    return {m.data, stride_of(m.stride, m.columns), dtype};
  }
  const Place place(from.rows(), from.columns(), dtype);
  std::byte* const to = room.of(place.bytes());
  executor.run((place.rows + kLanes - 1) / kLanes, [&](std::size_t strip, int) {
    alignas(kCacheLine) float block[kLanes * kBlockColumns];
    const std::size_t first = strip * kLanes, end = std::min(first + kLanes, place.rows);
    for (std::size_t column = 0; column < place.width; column += kBlockColumns) {
      const std::size_t columns = std::min(kBlockColumns, place.width - column);
      load_block(kernels, from, first, column, columns, block);
      for (std::size_t r = first; r < end; ++r) {
        kernels.from_fp32[index_of(dtype)](columns, block + (r - first) * columns,
                                           to + (r * place.ld + column) * place.element);
      }
    }
  });
  return {to, place.ld, dtype};
}

void check_epilogue(const Epilogue& epilogue, const MutableMatrix& y) {
  if (static_cast<std::size_t>(epilogue.activation) >= kEnumNames<Activation>.size()) {
    refuse_at("no such activation", "activation");
  }
  if (epilogue.add.data == nullptr) return;
  check_matrix(epilogue.add, "add");
  check_shape(epilogue.add, y, "add");
}

}  // namespace

PackedMatrix::PackedMatrix(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;
PackedMatrix::~PackedMatrix() = default;

std::size_t PackedMatrix::outputs() const { return impl_->layout.out; }
std::size_t PackedMatrix::inputs() const { return impl_->layout.in; }
Dtype PackedMatrix::dtype() const { return impl_->dtype; }

// The product of a left operand, by dtype of `packed`; y has rows and columns.
void Operations::Impl::product(RowsOperand left, const WeightLayout& layout, const std::byte* panels,
                               const MutableMatrix& y, const Epilogue& epilogue) {
  float* const padded_bias = bias.floats(pad_columns(layout.out));
  for (std::size_t o = 0; o < pad_columns(layout.out); ++o) {
    padded_bias[o] = epilogue.bias && o < layout.out ? epilogue.bias[o] : 0.0f;
  }
  ForwardEpilogue e = {};
  e.bias = padded_bias;
  e.activation = epilogue.activation;
  const bool in_place = is_as_kernels_want(y);
  const Place place(y.rows, y.columns, y.dtype);
  e.y = in_place ? StorageTarget{y.data, stride_of(y.stride, y.columns), nullptr, 0, y.dtype}
                 : StorageTarget{result.of(place.bytes()), place.ld, nullptr, 0, y.dtype};
  if (epilogue.add.data != nullptr) {
    const RowsOperand skip = rows_operand(executor(), kernels(), {epilogue.add}, epilogue.add.dtype, add);
    e.skip = skip.data;
    e.skip_ld = skip.ld;
    e.skip_dtype = skip.dtype;
  }
  forward_product(context, pad_rows(y.rows), layout, left, panels, e);
  if (in_place) return;
  const auto* const rows = static_cast<const std::byte*>(e.y.rows);
  for_each_rows(y.rows, y.columns, 1, [&](std::size_t first, std::size_t end, int) {
    for (std::size_t r = first; r < end; ++r) {
      std::memcpy(row_of(y, r), rows + r * place.ld * place.element, y.columns * place.element);
    }
  });
}

PackedMatrix Operations::pack(Dtype dtype, const Matrix& weights) {
  impl_->fork_check();
  if (index_of(dtype) >= kDtypes) refuse_at("no such dtype", "dtype");
  check_matrix(weights, "weights");
  if (weights.rows == 0 || weights.columns == 0) refuse_at("it has no elements", "weights");
  auto packed = std::make_unique<PackedMatrix::Impl>();
  packed->dtype = dtype;
  packed->layout = {.out = weights.rows, .in = weights.columns};
  packed->panels = AlignedBuffer<std::byte>(packed->layout.size() * size_of(dtype));
  pack_weights(impl_->executor(), impl_->kernels(), {weights}, packed->layout, dtype, packed->panels.data());
  return PackedMatrix(std::move(packed));
}

void Operations::multiply(const Matrix& x, const PackedMatrix& w, const MutableMatrix& y, const Epilogue& epilogue) {
  impl_->fork_check();
  check_matrix(x, "x");
  check_matrix(y, "y");
  check_epilogue(epilogue, y);
  if (x.columns != w.inputs()) refuse_at("its columns are not the inputs of the packed matrix", "x");
  if (y.columns != w.outputs()) refuse_at("its columns are not the outputs of the packed matrix", "y");
  if (y.rows != x.rows) refuse_at("its rows are not those of x", "y");
  if (x.rows == 0) return;
  const RowsOperand left = rows_operand(impl_->executor(), impl_->kernels(), {x}, w.dtype(), impl_->left);
  impl_->product(left, w.impl_->layout, w.impl_->panels.data(), y, epilogue);
}

void Operations::gemm(Dtype dtype, const Matrix& a, Transpose transpose_a, const Matrix& b, Transpose transpose_b,
                      const MutableMatrix& c, const Epilogue& epilogue) {
  impl_->fork_check();
  if (index_of(dtype) >= kDtypes) refuse_at("no such dtype", "dtype");
  check_matrix(a, "a");
  check_matrix(b, "b");
  check_matrix(c, "c");
  check_epilogue(epilogue, c);
  // A forward product reads the right operand as weights, [outputs][inputs]: transposed.
  const Operand left{a, transpose_a == Transpose::yes}, right{b, transpose_b == Transpose::no};
  if (left.columns() != right.columns()) refuse_at("its inner dimension is not that of a", "b");
  if (left.columns() == 0) refuse_at("an inner dimension of 0", "a");
  if (c.rows != left.rows()) refuse_at("its rows are not those of op(a)", "c");
  if (c.columns != right.rows()) refuse_at("its columns are not those of op(b)", "c");
  if (c.rows == 0 || c.columns == 0) return;
  const WeightLayout layout{.out = right.rows(), .in = right.columns()};
  std::byte* const panels = impl_->right.of(layout.size() * size_of(dtype));
  pack_weights(impl_->executor(), impl_->kernels(), right, layout, dtype, panels);
  impl_->product(rows_operand(impl_->executor(), impl_->kernels(), left, dtype, impl_->left), layout, panels, c,
                 epilogue);
}

}  // namespace halfstep
