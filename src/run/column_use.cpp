// Permutation importance.
#include <algorithm>
#include <cmath>
#include <string>

#include "base/rng.hpp"
#include "report/markup.hpp"
#include "run/held_out.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kMostRows = 2000, kLeastRows = 200;
constexpr std::size_t kMostShown = 30, kLeastGroups = 4;
constexpr double kMostValues = 1 << 24;  // of the copy of the rows
constexpr double kLeastWork = 3e8;       // multiplications: short everywhere
constexpr double kMostWork = 6e9;        // half a second on a core with AVX2
constexpr std::uint64_t kStream = 0x434f4c554dull << 24;

// Features that change places together.
struct Group {
  std::string name;
  std::size_t first = 0, width = 1;
  std::size_t rows = 1, stride = 0;  // of a field of a picture: so many rows of pixels
};

// Fields of a picture are so many on a side, at most.
constexpr std::size_t kMostFields = 14;

// The side of square pictures; 0 where rows are none.
std::size_t picture_side(const data::Examples& examples) {
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(examples.features))));
  return !examples.bytes.empty() && side >= 8 && side * side == examples.features ? side : 0;
}

std::vector<Group> fields_of(std::size_t side, std::size_t& fields) {
  const std::size_t pixels = (side + kMostFields - 1) / kMostFields;
  fields = (side + pixels - 1) / pixels;
  std::vector<Group> groups;
  for (std::size_t y = 0; y < side; y += pixels) {
    for (std::size_t x = 0; x < side; x += pixels) {
      const std::size_t wide = std::min(pixels, side - x), high = std::min(pixels, side - y);
      groups.push_back(
          {"pixels from column " + std::to_string(x) + ", row " + std::to_string(y), y * side + x, wide, high, side});
    }
  }
  return groups;
}

std::vector<Group> groups_of(const data::Recipe& recipe) {
  std::vector<Group> groups;
  if (recipe.is_matrix) {
    for (std::size_t i = 0; i < recipe.matrix_cols; ++i) groups.push_back({"value " + std::to_string(i), i, 1});
    return groups;
  }
  for (std::size_t i = 0; i < recipe.sparse_scales.size(); ++i) {
    const std::size_t index = i + (recipe.zero_based ? 0 : 1);
    if (recipe.sparse_scales[i] > 0) groups.push_back({"feature " + std::to_string(index), i, 1});
  }
  std::size_t offset = 0;
  for (const data::InputColumn& column : recipe.columns) {
    const bool constant = column.kind == data::InputColumn::Kind::number && column.scale == 0;
    if (column.width() > 0 && !constant) groups.push_back({report::short_name(column.name), offset, column.width()});
    offset += column.width();
  }
  return groups;
}

// `size` neighbours as one.
std::vector<Group> merged(const std::vector<Group>& groups, std::size_t size) {
  std::vector<Group> out;
  for (std::size_t i = 0; i < groups.size(); i += size) {
    const Group& last = groups[std::min(i + size, groups.size()) - 1];
    Group group = groups[i];
    group.width = last.first + last.width - group.first;
    if (last.first != groups[i].first) group.name += " to " + last.name;
    out.push_back(std::move(group));
  }
  return out;
}

// Multiplications of a forward pass of a row, about; and how many may be spent.
double work_of_row(StepTrainer& trainer) { return static_cast<double>(trainer.model().elements()) + 1000; }

double budget(StepTrainer& trainer) {
  const TrainerConfig& config = trainer.config();
  const double steps = static_cast<double>(trainer.clock().attempted) * static_cast<double>(config.accumulate);
  const double trained = steps * static_cast<double>(std::min(config.batch, config.rows)) * 3 * work_of_row(trainer);
  return std::clamp(trained / 10, kLeastWork, kMostWork);
}

// Evenly over the set.
data::Examples sample(const data::Examples& examples, std::size_t rows) {
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = 0; i < rows; ++i) chosen.push_back(static_cast<std::uint32_t>(i * examples.rows / rows));
  return data::take_rows(examples, chosen);
}

template <class Vector>
void shuffle(Vector& values, const Vector& original, std::size_t features, const Group& group,
             const std::vector<std::uint32_t>& order) {
  if (original.empty()) return;
  for (std::size_t row = 0; row < order.size(); ++row) {
    for (std::size_t line = 0; line < group.rows; ++line) {
      const std::size_t at = group.first + line * group.stride;
      const auto from = original.begin() + static_cast<std::ptrdiff_t>(order[row] * features + at);
      std::copy(from, from + static_cast<std::ptrdiff_t>(group.width),
                values.begin() + static_cast<std::ptrdiff_t>(row * features + at));
    }
  }
}

std::vector<std::uint32_t> order_of(std::size_t rows, const Rng& random) {
  std::vector<std::uint32_t> order(rows);
  for (std::size_t i = 0; i < rows; ++i) order[i] = static_cast<std::uint32_t>(i);
  for (std::size_t i = rows; i > 1; --i) std::swap(order[i - 1], order[random.below(i, static_cast<std::uint32_t>(i))]);
  return order;
}

}  // namespace

report::Importance column_use(StepTrainer& trainer, const OutputMeaning& meaning,
                              const data::Preprocessor& preprocessor, const data::Examples& examples) {
  report::Importance out;
  const std::size_t side = picture_side(examples);
  std::vector<Group> groups = side > 0 ? fields_of(side, out.side) : groups_of(preprocessor.recipe());
  const double row_work = work_of_row(trainer), most = budget(trainer);
  const double fits = std::min(most / row_work / static_cast<double>(groups.size() + 1),
                               kMostValues / static_cast<double>(examples.features));
  const auto least = std::min(kLeastRows, examples.rows);
  const std::size_t rows =
      std::clamp(static_cast<std::size_t>(fits), least, std::max(least, std::min(kMostRows, examples.rows)));
  const auto affordable = static_cast<std::size_t>(most / row_work / static_cast<double>(rows));
  const double values = static_cast<double>(rows) * static_cast<double>(examples.features);
  if (groups.size() < 2 || rows < 2 || affordable < kLeastGroups || values > kMostValues) return out;
  if (groups.size() > affordable && out.side > 0) return {};
  if (groups.size() > affordable) {
    const std::size_t size = (groups.size() + affordable - 1) / affordable;
    groups = merged(groups, size);
    out.groups = "So many columns would take long: a line stands for " + std::to_string(size) + " neighbours.";
  }
  const data::Examples original = data::in_full(sample(examples, rows));
  data::Examples changed = original;
  out.rows = static_cast<std::int64_t>(rows);
  out.loss = trainer.evaluate(original, meaning, false).loss;
  const Group* before = nullptr;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<std::uint32_t> order = order_of(rows, Rng(trainer.config().seed, kStream + g));
    std::vector<std::uint32_t> as_it_was = order;
    for (std::size_t i = 0; i < rows; ++i) as_it_was[i] = static_cast<std::uint32_t>(i);
    if (before) {
      shuffle(changed.x, original.x, original.features, *before, as_it_was);
      shuffle(changed.bytes, original.bytes, original.features, *before, as_it_was);
    }
    shuffle(changed.x, original.x, original.features, groups[g], order);
    shuffle(changed.bytes, original.bytes, original.features, groups[g], order);
    before = &groups[g];
    out.columns.push_back({groups[g].name, trainer.evaluate(changed, meaning, false).loss - out.loss});
  }
  if (out.side > 0) return out;
  std::stable_sort(out.columns.begin(), out.columns.end(),
                   [](const report::ColumnUse& a, const report::ColumnUse& b) { return a.increase > b.increase; });
  if (out.columns.size() > kMostShown) {
    out.groups += (out.groups.empty() ? "" : " ") + std::string("Shown are the first ") + std::to_string(kMostShown) +
                  " of " + std::to_string(out.columns.size()) + ".";
    out.columns.resize(kMostShown);
  }
  return out;
}

}  // namespace halfstep::internal
