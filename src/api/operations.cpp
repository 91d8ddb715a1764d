// The single operations on rows of matrices.
#include "halfstep/operations.hpp"

#include <cmath>
#include <vector>

#include "api/operations_impl.hpp"

namespace halfstep {

using namespace internal;
namespace {

Options machine_options(const OperationsOptions& wanted) {
  Options options;
  options.threads = wanted.threads;
  options.isa = wanted.isa;
  options.math = wanted.math;
  options.threads_of_host = wanted.threads_of_host;
  return options;
}

template <class A, class B>
void check_type(const A& a, const B& like, const char* name_of_a) {
  if (a.dtype != like.dtype) refuse_at("its dtype is not that of the others", name_of_a);
}

void check_activation(Activation activation) {
  if (static_cast<std::size_t>(activation) >= kEnumNames<Activation>.size())
    refuse_at("no such activation", "activation");
}

}  // namespace

Operations::Operations(const OperationsOptions& options) : impl_(std::make_unique<Impl>(machine_options(options))) {}
Operations::Operations(Operations&&) noexcept = default;
Operations& Operations::operator=(Operations&&) noexcept = default;
Operations::~Operations() = default;

const char* Operations::isa() const { return impl_->kernels().name; }
int Operations::threads() const { return impl_->machine.executor->threads(); }

void Operations::convert(const Matrix& x, const MutableMatrix& y) {
  impl_->fork_check();
  check_matrix(x, "x");
  check_matrix(y, "y");
  check_shape(y, x, "y");
  const KernelTable& kernels = impl_->kernels();
  constexpr std::size_t kPart = 1024;
  impl_->for_each_rows(x.rows, x.columns, 1, [&](std::size_t first, std::size_t end, int) {
    alignas(kCacheLine) float wide[kPart];
    for (std::size_t r = first; r < end; ++r) {
      for (std::size_t c = 0; c < x.columns; c += kPart) {
        const std::size_t n = std::min(kPart, x.columns - c);
        kernels.to_fp32[index_of(x.dtype)](n, row_of(x, r) + c * size_of(x.dtype), wide);
        kernels.from_fp32[index_of(y.dtype)](n, wide, row_of(y, r) + c * size_of(y.dtype));
      }
    }
  });
}

void Operations::activate(Activation activation, const Matrix& x, const MutableMatrix& y) {
  impl_->fork_check();
  check_activation(activation);
  check_matrix(x, "x");
  check_matrix(y, "y");
  check_shape(y, x, "y");
  check_type(y, x, "y");
  impl_->for_each_rows(x.rows, x.columns, 1, [&](std::size_t first, std::size_t end, int) {
    for (std::size_t r = first; r < end; ++r) {
      impl_->kernels().activate_stored[index_of(x.dtype)](activation, x.columns, row_of(x, r), row_of(y, r));
    }
  });
}

void Operations::differentiate(Activation activation, const Matrix& saved, const Matrix& d_y,
                               const MutableMatrix& d_x) {
  impl_->fork_check();
  check_activation(activation);
  check_matrix(saved, "saved");
  check_matrix(d_y, "d_y");
  check_matrix(d_x, "d_x");
  check_shape(saved, d_y, "saved");
  check_shape(d_x, d_y, "d_x");
  check_type(saved, d_y, "saved");
  check_type(d_x, d_y, "d_x");
  impl_->for_each_rows(d_y.rows, d_y.columns, 1, [&](std::size_t first, std::size_t end, int) {
    for (std::size_t r = first; r < end; ++r) {
      impl_->kernels().differentiate_stored[index_of(d_y.dtype)](activation, d_y.columns, row_of(saved, r),
                                                                 row_of(d_y, r), row_of(d_x, r));
    }
  });
}

bool Operations::derivative_needs_input(Activation activation) {
  check_activation(activation);
  return internal::derivative_needs_input(activation);
}

void Operations::normalise(Norm norm, const Matrix& x, const float* gain, const float* bias, float epsilon,
                           const MutableMatrix& y) {
  impl_->fork_check();
  check_matrix(x, "x");
  check_matrix(y, "y");
  check_shape(y, x, "y");
  if (norm != Norm::layer && norm != Norm::rms) refuse_at("rows are normalised by layer or rms", "norm");
  if (norm == Norm::rms && bias != nullptr) refuse_at("rms has none", "bias");
  if (!(epsilon >= 0) || std::isinf(epsilon)) refuse_at("it is at least 0", "epsilon");
  const KernelTable& kernels = impl_->kernels();
  // Kernels take rows with padding: two of them, what becomes of them, gain and bias.
  const std::size_t width = pad_columns(x.columns), element = size_of(x.dtype);
  const std::size_t of_worker = width * 3;
  const auto workers = static_cast<std::size_t>(threads());
  float* const vectors = impl_->rows.floats(width * 2 + of_worker * workers);
  for (std::size_t c = 0; c < width; ++c) {
    vectors[c] = c >= x.columns ? 0.0f : gain ? gain[c] : 1.0f;
    vectors[width + c] = c < x.columns && bias ? bias[c] : 0.0f;
  }
  impl_->for_each_rows(x.rows, x.columns, 2, [&](std::size_t first, std::size_t end, int worker) {
    float* const result = vectors + width * 2 + of_worker * static_cast<std::size_t>(worker);
    auto* const stored = reinterpret_cast<std::byte*>(result + width);
    for (std::size_t r = first; r < end; r += 2) {
      const std::size_t rows = std::min<std::size_t>(2, end - r);
      for (std::size_t i = 0; i < 2; ++i) {
        std::byte* const to = stored + i * width * element;
        std::fill_n(std::copy_n(row_of(x, r + i % rows), x.columns * element, to), (width - x.columns) * element,
                    std::byte{0});
      }
      RowStatistics statistics[2];
      kernels.row_statistics[index_of(x.dtype)](norm, x.columns, stored, width, epsilon, nullptr, 0, statistics);
      for (std::size_t i = 0; i < rows; ++i) {
        kernels.normalise[index_of(x.dtype)](x.columns, stored + i * width * element, statistics[i], vectors,
                                             norm == Norm::rms ? nullptr : vectors + width, result);
        kernels.from_fp32[index_of(y.dtype)](x.columns, result, row_of(y, r + i));
      }
    }
  });
}

void Operations::softmax(const Matrix& x, const MutableMatrix& y) {
  impl_->fork_check();
  check_matrix(x, "x");
  check_matrix(y, "y");
  check_shape(y, x, "y");
  if (x.dtype != Dtype::fp32) refuse_at("logits are fp32", "x");
  check_type(y, x, "y");
  const std::size_t width = pad_columns(x.columns);
  float* const rows = impl_->rows.floats(2 * width * static_cast<std::size_t>(threads()));
  impl_->for_each_rows(x.rows, x.columns, 1, [&](std::size_t first, std::size_t end, int worker) {
    float* const logits = rows + 2 * width * static_cast<std::size_t>(worker);
    for (std::size_t r = first; r < end && x.columns > 0; ++r) {
      std::copy_n(row_of(x, r), x.columns * sizeof(float), reinterpret_cast<std::byte*>(logits));
      impl_->kernels().softmax(x.columns, logits, logits + width);
      std::copy_n(reinterpret_cast<const std::byte*>(logits + width), x.columns * sizeof(float), row_of(y, r));
    }
  });
}

double Operations::cross_entropy(const Matrix& logits, std::span<const std::int32_t> labels, float scale,
                                 const MutableMatrix& d_logits) {
  impl_->fork_check();
  check_matrix(logits, "logits");
  if (logits.dtype != Dtype::fp32) refuse_at("logits are fp32", "logits");
  const bool wants_gradient = d_logits.data != nullptr;
  if (wants_gradient) {
    check_matrix(d_logits, "d_logits");
    check_shape(d_logits, logits, "d_logits");
    check_type(d_logits, logits, "d_logits");
  }
  if (labels.size() != logits.rows) refuse_at("one is wanted for each row of logits", "labels");
  for (const std::int32_t label : labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= logits.columns)
      refuse_at("a label beyond the logits", "labels");
  }
  const std::size_t width = pad_columns(logits.columns);
  // Losses are summed in the order of rows, whatever the threads.
  float* const rows = impl_->rows.floats(2 * width * static_cast<std::size_t>(threads()));
  std::vector<double> losses(logits.rows);
  impl_->for_each_rows(logits.rows, logits.columns, 1, [&](std::size_t first, std::size_t end, int worker) {
    float* const row = rows + 2 * width * static_cast<std::size_t>(worker);
    for (std::size_t r = first; r < end; ++r) {
      std::copy_n(row_of(logits, r), logits.columns * sizeof(float), reinterpret_cast<std::byte*>(row));
      losses[r] = impl_->kernels().softmax_cross_entropy(logits.columns, row, labels[r], scale, row + width);
      if (!wants_gradient) continue;
      std::copy_n(reinterpret_cast<const std::byte*>(row + width), logits.columns * sizeof(float), row_of(d_logits, r));
    }
  });
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return sum;
}

}  // namespace halfstep
