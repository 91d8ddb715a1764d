// Permutation importance.
#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "run/column_groups.hpp"
#include "run/dependence.hpp"
#include "run/held_out.hpp"
#include "train/inference.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kMostRows = 2000, kLeastRows = 200;
constexpr std::size_t kMostShown = 30, kLeastGroups = 4;
constexpr double kMostValues = 1 << 24;            // of the copy of the rows
constexpr double kLeastWork = 3e8;                 // multiplications: short everywhere
constexpr double kMostWork = 6e9;                  // half a second on a core with AVX2
constexpr std::size_t kTimes = 3, kMostTimes = 5;  // that a column's values change places
constexpr std::size_t kTold = 4, kPointsOfColumn = 12, kLeastAsked = 30, kMostAsked = 300;  // value by value
constexpr std::uint64_t kStreamsApart = std::uint64_t{1} << 20;
constexpr std::uint64_t kStream = 0x434f4c554dull << 24;

// Fields of a picture are so many on a side, at most.
constexpr std::size_t kMostFields = 14;

// The side of square pictures; 0 where rows are none.
std::size_t picture_side(const data::Examples& examples) {
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(examples.features))));
  return !examples.bytes.empty() && side >= 8 && side * side == examples.features ? side : 0;
}

std::vector<ColumnGroup> fields_of(std::size_t side, std::size_t& fields) {
  const std::size_t pixels = (side + kMostFields - 1) / kMostFields;
  fields = (side + pixels - 1) / pixels;
  std::vector<ColumnGroup> groups;
  for (std::size_t y = 0; y < side; y += pixels) {
    for (std::size_t x = 0; x < side; x += pixels) {
      const std::size_t wide = std::min(pixels, side - x), high = std::min(pixels, side - y);
      groups.push_back(
          {"pixels from column " + std::to_string(x) + ", row " + std::to_string(y), y * side + x, wide, high, side});
    }
  }
  return groups;
}

// `size` neighbours as one.
std::vector<ColumnGroup> merged(const std::vector<ColumnGroup>& groups, std::size_t size) {
  std::vector<ColumnGroup> out;
  for (std::size_t i = 0; i < groups.size(); i += size) {
    const ColumnGroup& last = groups[std::min(i + size, groups.size()) - 1];
    ColumnGroup group = groups[i];
    group.width = last.first + last.width - group.first;
    if (last.first != groups[i].first) group.name += " to " + last.name;
    out.push_back(std::move(group));
  }
  return out;
}

// Multiplications of a forward pass of a row, about.
double work_of_row(const Networks& networks) {
  double work = 1000;
  for (const Network* network : networks.all) {
    work += static_cast<double>(network->shape().members) * static_cast<double>(network->elements());
  }
  return work;
}

// The rows that are asked about, as they are and as a column is shuffled within each part.
class AskedRows {
 public:
  // About `rows` of all, of each part its share.
  AskedRows(const AskedModel& model, const ModelSpec& spec, const std::vector<AskedPart>& parts, std::size_t rows)
      : model_(model), loss_(loss_of(spec)) {
    std::size_t all = 0;
    for (const AskedPart& part : parts) all += part.examples.rows;
    for (const AskedPart& part : parts) {
      const double share = static_cast<double>(rows) * static_cast<double>(part.examples.rows);
      const auto some = static_cast<std::size_t>(std::ceil(share / static_cast<double>(all)));
      if (some == 0) continue;
      parts_.push_back({part.networks, data::in_full(sample_rows(part.examples, some)), {}});
      parts_.back().changed = parts_.back().original;
      rows_ += some;
    }
  }

  std::size_t rows() const { return rows_; }
  const data::Examples& first() const { return parts_.front().original; }

  double loss() const {
    double sum = 0;
    for (const Part& part : parts_) {
      sum += static_cast<double>(part.changed.rows) *
             measure(model_.context, part.networks, part.changed, *loss_, model_.meaning, {}).loss;
    }
    return sum / static_cast<double>(rows_);
  }
  void shuffle(const ColumnGroup& group, const Rng& random) {
    for (Part& part : parts_)
      take_group(part.changed, part.original, group, rows_by_chance(part.original.rows, random));
  }
  void restore(const ColumnGroup& group) {
    for (Part& part : parts_) take_group(part.changed, part.original, group, rows_in_order(part.original.rows));
  }

 private:
  struct Part {
    Networks networks;
    data::Examples original, changed;
  };

  const AskedModel& model_;
  std::unique_ptr<Loss> loss_;
  std::vector<Part> parts_;
  std::size_t rows_ = 0;
};

report::ColumnUse use_of(const std::string& name, const std::vector<double>& increases) {
  const auto times = static_cast<double>(increases.size());
  double mean = 0, squares = 0;
  for (const double increase : increases) mean += increase / times;
  for (const double increase : increases) squares += (increase - mean) * (increase - mean);
  return {name, mean, times > 1 ? std::sqrt(squares / (times - 1)) : report::kNan};
}

}  // namespace

report::Importance column_use(const AskedModel& model, const ModelSpec& spec, const std::vector<AskedPart>& parts,
                              double trained, std::uint64_t seed) {
  report::Importance out;
  const data::Examples& examples = parts.front().examples;
  std::size_t all = 0;
  for (const AskedPart& part : parts) all += part.examples.rows;
  const std::size_t side = picture_side(examples);
  std::vector<ColumnGroup> groups = side > 0 ? fields_of(side, out.side) : column_groups(model.preprocessor.recipe());
  const double row_work = work_of_row(parts.front().networks);
  const double most = std::clamp(trained * 3 * row_work / 10, kLeastWork, kMostWork);
  const double fits = std::min(most / row_work / static_cast<double>(kTimes * groups.size() + 1),
                               kMostValues / static_cast<double>(examples.features));
  const auto least = std::min(kLeastRows, all);
  const std::size_t rows = std::clamp(static_cast<std::size_t>(fits), least, std::max(least, std::min(kMostRows, all)));
  const auto affordable = static_cast<std::size_t>(most / row_work / static_cast<double>(rows));
  const double values = static_cast<double>(rows) * static_cast<double>(examples.features);
  if (groups.size() < 2 || rows < 2 || affordable < kLeastGroups || values > kMostValues) return out;
  if (groups.size() > affordable && out.side > 0) return {};
  if (groups.size() > affordable) {
    const std::size_t size = (groups.size() + affordable - 1) / affordable;
    groups = merged(groups, size);
    out.groups = "So many columns would take long: a line stands for " + std::to_string(size) + " neighbours.";
  }
  AskedRows asked_rows(model, spec, parts, rows);
  out.rows = static_cast<std::int64_t>(asked_rows.rows());
  out.loss = asked_rows.loss();
  const std::size_t times = out.side > 0 ? 1 : std::clamp<std::size_t>(affordable / groups.size(), 1, kMostTimes);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::vector<double> increases;
    for (std::size_t t = 0; t < times; ++t) {
      const Rng random(seed, kStream + g + t * kStreamsApart);
      asked_rows.shuffle(groups[g], random);
      increases.push_back(asked_rows.loss() - out.loss);
    }
    asked_rows.restore(groups[g]);
    out.columns.push_back(use_of(groups[g].name, increases));
  }
  if (out.side > 0) return out;
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return out.columns[x].increase > out.columns[y].increase; });
  std::vector<report::ColumnUse> sorted;
  for (const std::size_t g : order) sorted.push_back(std::move(out.columns[g]));
  out.columns = std::move(sorted);
  const auto asked = static_cast<std::size_t>(most / work_of_row(model.networks) / (kTold * kPointsOfColumn));
  const data::Examples& some = asked_rows.first();
  const data::Examples few = data::in_full(sample_rows(some, std::min({some.rows, asked, kMostAsked})));
  for (std::size_t i = 0; i < std::min(kTold, order.size()) && few.rows >= kLeastAsked; ++i) {
    const ColumnGroup& group = groups[order[i]];
    if (group.column == nullptr || group.width != group.column->width()) continue;
    Dependence told = dependence_of(model, few, group);
    if (!told.points.empty()) out.dependences.push_back(std::move(told));
  }
  if (out.columns.size() > kMostShown) {
    out.groups += (out.groups.empty() ? "" : " ") + std::string("Shown are the first ") + std::to_string(kMostShown) +
                  " of " + std::to_string(out.columns.size()) + ".";
    out.columns.resize(kMostShown);
  }
  return out;
}

}  // namespace halfstep::internal
