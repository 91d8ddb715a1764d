#include "api/c/arguments.hpp"

#include <cmath>
#include <optional>

#include "base/fp_env.hpp"

namespace halfstep::internal::c_abi {
namespace {

constexpr std::uint64_t kMostWidths = 1024, kMostOutputs = 1u << 20;

template <class T>
void copy_rows(const hs_matrix& m, std::size_t stride, float* out) {
  const char* row = static_cast<const char*>(m.data);
  for (std::uint64_t i = 0; i < m.rows; ++i, row += stride, out += m.cols) {
    if constexpr (std::is_same_v<T, float>) {
      std::memcpy(out, row, static_cast<std::size_t>(m.cols) * sizeof(float));
    } else {
      const T* from = reinterpret_cast<const T*>(row);
      for (std::uint64_t j = 0; j < m.cols; ++j) {
        out[j] = static_cast<float>(from[j]);
        if (std::isinf(out[j]) && !std::isinf(from[j])) refuse("a number of the matrix is beyond fp32", "");
      }
    }
  }
}

// Bytes from a row to the next, of a matrix that can lie where it says.
std::size_t checked_stride(const hs_matrix& m, std::size_t element) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::ptrdiff_t>::max();
  if (m.rows == 0 || m.cols == 0) refuse("the matrix is empty", "it has no rows or no columns");
  if (m.row_stride_bytes < 0) refuse("the matrix does not fit", "its stride is negative");
  if (m.cols > kMost / sizeof(double)) refuse("the matrix does not fit", "it has too many columns");
  const std::uint64_t row = m.cols * element;
  const std::uint64_t stride = m.row_stride_bytes == 0 ? row : static_cast<std::uint64_t>(m.row_stride_bytes);
  if (stride < row) refuse("the matrix does not fit", "its stride is shorter than a row");
  if (stride % element != 0) refuse("the matrix does not fit", "its stride is not a whole number of elements");
  if (m.rows > kMost / stride) refuse("the matrix does not fit", "its size overflows");
  check_memory(m.data, (m.rows - 1) * stride + row, 1, element, "the data of a matrix");
  return static_cast<std::size_t>(stride);
}

template <class E>
E enumerator(const char* given, E otherwise, const char* field) {
  if (given == nullptr) return otherwise;
  if (const std::optional<E> value = from_name<E>(given)) return *value;
  throw Error(Status::invalid_argument, {.what = "'" + std::string(given) + "' is unknown",
                                         .where = field,
                                         .why = {},
                                         .kept = {},
                                         .hint = std::string(all_names<E>())});
}

}  // namespace

void check_memory(const void* data, std::uint64_t count, std::size_t element, std::size_t alignment, const char* name) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  if (data == nullptr) refuse(name, "it is null");
  if (address % alignment != 0) refuse(name, "its address is not aligned");
  constexpr std::uint64_t kMost = std::numeric_limits<std::ptrdiff_t>::max();
  if (count > kMost / element || count * element > std::numeric_limits<std::uintptr_t>::max() - address) {
    refuse(name, "its size overflows");
  }
}

void give(const std::string& result, char* buffer, std::uint64_t capacity, std::uint64_t* needed) {
  give(std::span<const char>(result.c_str(), result.size() + 1), buffer, capacity, needed);
}

const char* text(const char* given, const char* name) {
  if (given == nullptr) refuse(name, "it is null");
  return given;
}

Rows::Rows(const hs_matrix* given) : matrix_(place(given, "a matrix")) {
  if (matrix_.dtype != HS_DTYPE_FP32 && matrix_.dtype != HS_DTYPE_FP64) refuse("the dtype of a matrix is unknown", "");
  if (matrix_.reserved != 0) refuse("a reserved field is not 0", "");
  const std::size_t element = matrix_.dtype == HS_DTYPE_FP32 ? sizeof(float) : sizeof(double);
  const std::size_t stride = checked_stride(matrix_, element),
                    numbers = static_cast<std::size_t>(matrix_.rows) * cols();
  if (matrix_.dtype == HS_DTYPE_FP32 && stride == cols() * element) {
    x_ = {static_cast<const float*>(matrix_.data), numbers};
    return;
  }
  copy_.resize(numbers);
  const FpEnvGuard fp_env;
  if (matrix_.dtype == HS_DTYPE_FP32) {
    copy_rows<float>(matrix_, stride, copy_.data());
  } else {
    copy_rows<double>(matrix_, stride, copy_.data());
  }
  x_ = copy_;
}

Rows rows_for(std::size_t inputs, const hs_matrix* given) {
  if (place(given, "a matrix").cols != inputs) {
    refuse("the matrix does not fit the model", "it has another number of columns than the model has inputs");
  }
  return Rows(given);
}

std::size_t count_outputs(const Rows& rows, std::size_t outputs) {
  if (rows.rows() > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float) / outputs) {
    refuse("the outputs do not fit", "their number overflows");
  }
  return static_cast<std::size_t>(rows.rows()) * outputs;
}

ModelSpec spec_of(const hs_model_spec* given) {
  const hs_model_spec c = read_struct(given, HS_MODEL_SPEC_LEAST, "hs_model_spec");
  if (c.width_count > kMostWidths || c.layer_precision_count > kMostWidths || c.class_weight_count > kMostOutputs) {
    refuse("hs_model_spec", "a count is beyond what a model may have");
  }
  if (c.residual != 0 && c.residual != 1) refuse("hs_model_spec", "residual is neither 0 nor 1");
  ModelSpec spec;
  const auto widths = array(c.widths, c.width_count, "widths");
  spec.widths.assign(widths.begin(), widths.end());
  if (c.layer != nullptr) spec.layer = c.layer;
  spec.activation = enumerator(c.activation, spec.activation, "activation");
  spec.norm = enumerator(c.norm, spec.norm, "norm");
  spec.dropout = c.dropout;
  spec.residual = c.residual == 1;
  spec.precision = enumerator(c.precision, spec.precision, "precision");
  spec.loss = enumerator(c.loss, spec.loss, "loss");
  if (c.huber_delta != 0) spec.huber_delta = c.huber_delta;
  spec.label_smoothing = c.label_smoothing;
  const auto weights = array(c.class_weights, c.class_weight_count, "class_weights");
  spec.class_weights.assign(weights.begin(), weights.end());
  for (const char* precision : array(c.layer_precision, c.layer_precision_count, "layer_precision")) {
    spec.layer_precision.push_back(enumerator(precision, spec.precision, "layer_precision"));
  }
  return spec;
}

}  // namespace halfstep::internal::c_abi
