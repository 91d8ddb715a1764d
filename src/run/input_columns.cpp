#include "run/input_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/take.hpp"
#include "doctor/stored_values.hpp"
#include "run/data_words.hpp"
#include "train/step_meter.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kMostValues = std::size_t{1} << 24;  // a fraction of a second
constexpr std::size_t kRowsAtOnce = 256;
constexpr float kVanishes = 0x1p-25f;  // what is no larger becomes zero in fp16

// The value of a column that is largest in magnitude, and its row. One that is not finite is passed over: the step says
// more about it.
struct Extreme {
  float value = 0;
  std::uint32_t row = 0;

  void see(float v, std::uint32_t at) {
    if (std::isfinite(v) && std::fabs(v) > std::fabs(value)) *this = {v, at};
  }
};

std::vector<std::uint32_t> chosen_rows(const data::Examples& set) {
  const std::size_t most = std::max<std::size_t>(1, kMostValues / std::max<std::size_t>(1, set.features));
  const std::size_t stride = (set.rows + most - 1) / most;
  std::vector<std::uint32_t> rows;
  for (std::size_t r = 0; r < set.rows; r += stride) rows.push_back(static_cast<std::uint32_t>(r));
  return rows;
}

// see(row of the set, its features).
template <class See>
void for_each_row(const data::Examples& set, std::span<const std::uint32_t> rows, See see) {
  std::vector<float> converted(set.features);
  for (std::size_t first = 0; first < rows.size(); first += kRowsAtOnce) {
    const auto some = rows.subspan(first, std::min(kRowsAtOnce, rows.size() - first));
    data::Examples part;
    if (!set.file) part = data::in_full(data::take_rows(set, some));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const float* row = part.x.data() + i * set.features;
      if (set.file) {
        set.file->read(some[i], converted.data());
        row = converted.data();
      } else if (!part.bytes.empty()) {
        const std::uint8_t* const bytes = part.bytes.data() + i * set.features;
        for (std::size_t c = 0; c < set.features; ++c) {
          converted[c] = static_cast<float>(bytes[c]) * set.byte_scale + set.byte_shift;
        }
        row = converted.data();
      }
      see(some[i], row);
    }
  }
}

PreflightColumn column_of(std::size_t column, const Extreme& extreme, const DataWords& words, const RowNumbers& rows) {
  PreflightColumn out;
  out.column = static_cast<std::int64_t>(column);
  out.value = static_cast<double>(extreme.value);
  out.place = rows.text(extreme.row);
  out.overflows = std::fabs(out.value) >= rounds_to_infinity(Dtype::fp16);
  out.standardized = std::numeric_limits<double>::quiet_NaN();
  if (column >= words.inputs.size()) return out;
  const DataWords::Column& of_data = words.inputs[column];
  out.name = of_data.name;
  if (!words.standardised && of_data.scale > 0) out.standardized = (out.value - of_data.mean) / of_data.scale;
  return out;
}

}  // namespace

InputColumns input_columns(const Prepared& prepared, const KernelTable& kernels) {
  const data::Examples& set = prepared.train;
  InputColumns out;
  out.tensor.tensor = out.tensor.wide.tensor = "input";
  std::vector<Extreme> extremes(set.features);
  const std::vector<std::uint32_t> rows = chosen_rows(set);
  for_each_row(set, rows, [&](std::uint32_t row, const float* x) {
    count_storage(kernels, set.features, x, out.tensor.wide);
    for (std::size_t c = 0; c < set.features; ++c) extremes[c].see(x[c], row);
  });
  out.rows = static_cast<std::int64_t>(rows.size());
  const DataWords words = data_words(prepared.preprocessor);
  for (std::size_t c = 0; c < set.features; ++c) {
    const double size = std::fabs(static_cast<double>(extremes[c].value));
    out.tensor.largest = std::max(out.tensor.largest, size);
    const bool vanishes = size > 0 && size <= static_cast<double>(kVanishes);
    if (!vanishes && size < rounds_to_infinity(Dtype::fp16)) continue;
    out.narrow.push_back(column_of(c, extremes[c], words, prepared.train_rows));
  }
  std::stable_sort(out.narrow.begin(), out.narrow.end(),
                   [](const auto& a, const auto& b) { return std::fabs(a.value) > std::fabs(b.value); });
  return out;
}

}  // namespace halfstep::internal
