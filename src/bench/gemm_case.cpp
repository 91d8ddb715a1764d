#include "bench/gemm_case.hpp"

#include "base/dtype.hpp"
#include "base/float16.hpp"

namespace halfstep::internal {

GemmCase::GemmCase(const KernelTable& kernels, Executor& executor, const GemmBenchShape& shape, GemmEpilogue epilogue)
    : context_(kernels, executor), shape_(shape), epilogue_(epilogue) {
  switch (shape.product) {
    case Product::forward:
      batch_ = shape.m, layout_ = {.out = shape.n, .in = shape.k};
      break;
    case Product::input_gradient:
      batch_ = shape.m, layout_ = {.out = shape.k, .in = shape.n};
      break;
    case Product::weight_gradient:
      batch_ = shape.k, layout_ = {.out = shape.m, .in = shape.n};
      break;
  }
  const std::size_t element = size_of(shape.dtype), rows = pad_rows(batch_);
  bias_ = AlignedBuffer<float>(pad_columns(layout_.out));
  sums_ = AlignedBuffer<float>(sum_chunks(rows) * pad_columns(layout_.in));
  if (shape.product != Product::forward) d_y_ = random_matrix(batch_, layout_.out, Operand::d_y);
  x_ = random_matrix(batch_, layout_.in, Operand::x);
  result_ = random_matrix(batch_, shape.n, Operand::x);  // overwritten
  if (shape.product == Product::weight_gradient) {
    grad_ = AlignedBuffer<float>(layout_.size());
    squares_.resize(layout_.strips() * layout_.blocks());
    return;
  }
  AlignedBuffer<float> master(layout_.size());
  for (std::size_t o = 0; o < layout_.out; ++o) {
    for (std::size_t i = 0; i < layout_.in; ++i) {
      master[layout_.offset(o, i)] = operand_value(Operand::weights, o * layout_.in + i);
    }
  }
  AlignedBuffer<std::byte> forward(layout_.size() * element), backward(layout_.size() * element);
  for (std::size_t s = 0; s < layout_.strips(); ++s) {
    for (std::size_t b = 0; b < layout_.blocks(); ++b) {
      const std::size_t column = b * kBlockColumns;
      kernels.pack_strip[index_of(shape.dtype)](
          layout_.block_columns(b), master.data() + layout_.block_offset(s, b),
          forward.data() + (s * layout_.forward_panel() + column * kLanes) * element,
          backward.data() + (column / kLanes * layout_.backward_panel() + s * kLanes * kLanes) * element,
          layout_.backward_panel());
    }
  }
  packed_ = shape.product == Product::forward ? std::move(forward) : std::move(backward);
}

GemmCase::Stored GemmCase::random_matrix(std::size_t rows, std::size_t columns, Operand operand) const {
  const std::size_t padded = pad_rows(rows), element = size_of(shape_.dtype);
  Stored m;
  m.dtype = shape_.dtype;
  m.ld = leading_dimension(columns, element);
  const std::size_t width = pad_columns(columns);
  m.panel_stride = padded * kLanes;
  m.rows = AlignedBuffer<std::byte>(padded * m.ld * element);
  m.panels = AlignedBuffer<std::byte>(padded * width * element);
  AlignedBuffer<float> pair(2 * width);
  for (std::size_t r = 0; r < padded; r += 2) {
    for (std::size_t i = 0; i < 2; ++i) {
      for (std::size_t c = 0; c < columns; ++c) {
        pair[i * width + c] = r + i < rows ? operand_value(operand, (r + i) * columns + c) : 0.0f;
      }
    }
    const StorageTarget at = {m.rows.data() + r * m.ld * element, m.ld, m.panels.data() + r * kLanes * element,
                              m.panel_stride, m.dtype};
    context_.kernels.store_rows[index_of(shape_.dtype)](width, pair.data(), pair.data() + width, at);
  }
  return m;
}

float GemmCase::result(std::size_t row, std::size_t column) const {
  if (shape_.product == Product::weight_gradient) return grad_[layout_.offset(row, column)];
  const std::size_t at = row * result_.ld + column;
  const void* rows = result_.rows.data();
  if (shape_.dtype == Dtype::bf16) return to_fp32(static_cast<const Bf16*>(rows)[at]);
  if (shape_.dtype == Dtype::fp16) return to_fp32(static_cast<const Fp16*>(rows)[at]);
  return static_cast<const float*>(rows)[at];
}

void GemmCase::run() {
  const bool fused = epilogue_ == GemmEpilogue::trainer;
  StorageTarget target = result_.target();
  if (!fused) target.panels = nullptr;
  const Activation activation = fused ? Activation::relu : Activation::identity;
  switch (shape_.product) {
    case Product::forward: {
      ForwardEpilogue e = {};
      e.bias = bias_.data();
      e.activation = activation;
      e.y = target;
      return forward_product(context_, batch_, layout_, x_.rows_operand(), packed_.data(), e);
    }
    case Product::input_gradient: {
      BackwardEpilogue e = {};
      e.activation = activation;
      e.saved = x_.rows.data();
      e.saved_ld = x_.ld;
      e.saved_dtype = x_.dtype;
      e.sums = sums_.data();
      e.d = target;
      return input_gradient_product(context_, pad_rows(batch_), layout_, d_y_.rows_operand(), packed_.data(), e);
    }
    case Product::weight_gradient:
      return weight_gradient_product(context_, pad_rows(batch_), layout_, d_y_.panels_operand(), x_.panels_operand(),
                                     grad_.data(), false, squares_.data());
  }
}

}  // namespace halfstep::internal
