#include "run/input_columns.hpp"

#include <algorithm>
#include <cmath>

#include "data/take.hpp"
#include "train/step_meter.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kMostValuesRead = std::size_t{1} << 24;  // a fraction of a second
constexpr std::size_t kRowsAtOnce = 256;

std::vector<std::uint32_t> chosen_rows(const data::Examples& set) {
  const std::size_t most = std::max<std::size_t>(1, kMostValuesRead / std::max<std::size_t>(1, set.features));
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

}  // namespace

InputColumns input_columns(const Prepared& prepared, const KernelTable& kernels) {
  const data::Examples& set = prepared.train;
  InputColumns out;
  out.tensor.tensor = out.tensor.wide.tensor = "input";
  out.extremes.resize(set.features);
  const std::vector<std::uint32_t> rows = chosen_rows(set);
  for_each_row(set, rows, [&](std::uint32_t row, const float* x) {
    count_storage(kernels, set.features, x, out.tensor.wide);
    for (std::size_t c = 0; c < set.features; ++c) out.extremes[c].see(x[c], row);
  });
  out.rows = static_cast<std::int64_t>(rows.size());
  for (const Extreme& e : out.extremes) {
    out.tensor.largest = std::max(out.tensor.largest, std::fabs(static_cast<double>(e.value)));
  }
  return out;
}

}  // namespace halfstep::internal
