// IDX images and labels, and images as a model would take them.
#include <cmath>

#include "data/idx.hpp"
#include "data/preprocess.hpp"
#include "fuzz/support.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

void check_matrix(const data::Matrix& matrix) {
  const std::size_t values = matrix.bytes.empty() ? matrix.floats.size() : matrix.bytes.size();
  fuzz::require(matrix.rows > 0 && matrix.cols > 0, "a matrix has rows and columns");
  fuzz::require(values == matrix.rows * matrix.cols, "a matrix holds rows x columns values");
  fuzz::require(matrix.bytes.empty() || matrix.floats.empty(), "values are bytes or numbers");
  for (const float value : matrix.floats) fuzz::require(std::isfinite(value), "values are finite");
}

void check_examples(data::Matrix matrix) {
  for (std::size_t row = 0; row < matrix.rows; ++row) matrix.labels.push_back(static_cast<std::int32_t>(row % 3));
  const data::RawData raw{"input", matrix};
  const data::Preprocessor preprocessor = data::Preprocessor::fit(raw, Options{});
  const data::Examples examples = preprocessor.apply(raw, true);
  fuzz::require(examples.rows == matrix.rows && examples.features == matrix.cols, "every image is an example");
  fuzz::require(examples.labels.size() == matrix.rows, "every image has a label");
  for (const float x : examples.x) fuzz::require(std::isfinite(x), "features are finite");
  const bool finite = std::isfinite(examples.byte_scale) && std::isfinite(examples.byte_shift);
  fuzz::require(finite || examples.bytes.empty(), "scaling of bytes is finite");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const data::Source source = fuzz::source_of(fuzz::as_text(bytes, size));
  fuzz::succeeds([&] { data::parse_idx_labels(source); });
  data::Matrix matrix;
  if (!fuzz::succeeds([&] { matrix = data::parse_idx(source); })) return 0;
  check_matrix(matrix);
  fuzz::succeeds([&] { check_examples(std::move(matrix)); });
  return 0;
}
