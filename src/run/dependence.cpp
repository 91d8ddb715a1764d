#include "run/dependence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/arena.hpp"
#include "data/embedded_column.hpp"
#include "data/target_columns.hpp"
#include "halfstep/text.hpp"
#include "run/class_probabilities.hpp"
#include "run/target_value.hpp"
#include "train/inference.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kPoints = 12, kMostClasses = 5;
constexpr double kOutermost = 0.01;  // share of the rows beyond the first and the last quantile
constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// A value of the column, and a row that has it.
struct PlaceOfRow {
  double number = kNoNumber;
  std::string text;
  std::size_t row = 0, count = 1;
};

std::vector<PlaceOfRow> quantiles(const data::Recipe& recipe, const data::Examples& examples,
                                  const ColumnGroup& group) {
  std::vector<PlaceOfRow> all;
  for (std::size_t row = 0; row < examples.rows; ++row) {
    const float* const features = examples.x.data() + row * examples.features + group.first;
    const double number = number_of(recipe, *group.column, features);
    if (std::isfinite(number)) all.push_back({number, {}, row});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const PlaceOfRow& a, const PlaceOfRow& b) { return a.number < b.number; });
  std::vector<PlaceOfRow> places;
  const auto add = [&](const PlaceOfRow& place) {
    if (places.empty() || place.number > places.back().number) places.push_back(place);
  };
  for (const PlaceOfRow& place : all) add(place);
  if (places.size() > kPoints) {
    places.clear();
    for (std::size_t i = 0; i < kPoints; ++i) {
      const double share = kOutermost + (1 - 2 * kOutermost) * static_cast<double>(i) / (kPoints - 1);
      add(all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))]);
    }
  }
  for (PlaceOfRow& place : places) place.text = short_number(place.number, 6);
  return places;
}

// Place among the categories; beyond them where it is none.
std::size_t category_of(const data::InputColumn& column, const float* features) {
  if (column.embedded) return static_cast<std::size_t>(std::max(features[0], 0.0f));
  return static_cast<std::size_t>(std::find(features, features + column.width(), 1.0f) - features);
}

std::vector<PlaceOfRow> categories(const data::Examples& examples, const ColumnGroup& group) {
  std::map<std::size_t, PlaceOfRow> found;
  for (std::size_t row = 0; row < examples.rows; ++row) {
    const std::size_t place = category_of(*group.column, examples.x.data() + row * examples.features + group.first);
    if (place >= group.column->categories.size()) continue;
    const auto [at, fresh] = found.try_emplace(place, PlaceOfRow{kNoNumber, group.column->categories[place], row});
    if (!fresh) ++at->second.count;
  }
  std::vector<PlaceOfRow> places;
  for (const auto& [code, place] : found) places.push_back(place);
  std::stable_sort(places.begin(), places.end(),
                   [](const PlaceOfRow& a, const PlaceOfRow& b) { return a.count > b.count; });
  if (places.size() > kPoints) places.resize(kPoints);
  return places;
}

// Of each output, over the rows that have finite ones.
std::vector<double> mean_outputs(const AskedModel& model, const data::Examples& examples) {
  const std::size_t columns = model.networks.all.front()->shape().widths.back();
  std::vector<double> sums(columns);
  AlignedBuffer<float> probabilities(pad_columns(columns));
  double rows = 0;
  const auto add = [&](const float* logits) {
    if (!is_finite_output(logits, columns)) return;
    ++rows;
    if (model.meaning.classification) {
      class_probabilities(model.context.kernels, model.loss, columns, logits, probabilities.data());
      for (std::size_t c = 0; c < columns; ++c) sums[c] += static_cast<double>(probabilities[c]);
      return;
    }
    for (std::size_t t = 0; t < columns; ++t) {
      const TargetUnits& units = model.meaning.targets[t];
      sums[t] += target_value(logits[t], units.mean, units.scale);
    }
  };
  for_each_batch(model.context, model.networks, examples, model.meaning,
                 [&](std::size_t, std::size_t count, const float* logits, std::size_t ld) {
                   for (std::size_t i = 0; i < count; ++i) add(logits + i * ld);
                 });
  for (double& sum : sums) sum /= rows;
  return sums;
}

void keep_outputs(const std::vector<std::size_t>& kept, Dependence& out) {
  const Dependence all = out;
  out.outputs.clear();
  for (const std::size_t place : kept) out.outputs.push_back(all.outputs[place]);
  for (std::size_t i = 0; i < out.points.size(); ++i) {
    out.points[i].means.clear();
    for (const std::size_t place : kept) out.points[i].means.push_back(all.points[i].means[place]);
  }
}

// Those of the classes that are told.
void choose_classes(Dependence& out) {
  if (out.outputs.size() == 2) return keep_outputs({1}, out);
  if (out.outputs.size() <= kMostClasses) return;
  std::vector<double> said(out.outputs.size());
  for (const DependencePoint& point : out.points) {
    for (std::size_t c = 0; c < said.size(); ++c) said[c] += point.means[c];
  }
  std::vector<std::size_t> order(said.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return said[a] > said[b]; });
  order.resize(kMostClasses);
  std::sort(order.begin(), order.end());
  keep_outputs(order, out);
}

}  // namespace

double number_of(const data::Recipe& recipe, const data::InputColumn& column, const float* features) {
  const auto x = static_cast<double>(features[0]);
  if (!column.embedded) return recipe.standardize ? x * column.scale + column.mean : x;
  const auto place = static_cast<double>(features[1]);
  if (features[1] == kMissingPlace) return kNoNumber;
  const std::vector<double>& knots = column.knots;
  if (knots.size() < 2) return column.mean;
  const double last = static_cast<double>(knots.size() - 1);
  if (place >= 0 && place <= last) {
    const auto segment = std::min(static_cast<std::size_t>(place), knots.size() - 2);
    const double share = place - static_cast<double>(segment);
    return knots[segment] * (1 - share) + knots[segment + 1] * share;
  }
  // Beyond the knots places soon end, and what is clipped smoothly goes on.
  if (column.scale > 0 && std::fabs(x) < data::kEmbeddedClip) {
    return x / std::sqrt(1 - (x / data::kEmbeddedClip) * (x / data::kEmbeddedClip)) * column.scale + column.mean;
  }
  return place < 0 ? knots.front() : knots.back();
}

Dependence dependence_of(const AskedModel& model, const data::Examples& examples, const ColumnGroup& group) {
  Dependence out;
  out.column = group.column->title();
  out.is_number = group.column->kind == data::InputColumn::Kind::number;
  const data::Preprocessor& p = model.preprocessor;
  out.outputs = model.meaning.classification ? p.classes() : data::target_names(p.targets());
  const std::vector<PlaceOfRow> places =
      out.is_number ? quantiles(p.recipe(), examples, group) : categories(examples, group);
  if (places.size() < 2) return out;
  data::Examples changed = examples;
  for (const PlaceOfRow& place : places) {
    take_group(changed, examples, group,
               std::vector<std::uint32_t>(examples.rows, static_cast<std::uint32_t>(place.row)));
    std::vector<double> means = mean_outputs(model, changed);
    if (model.meaning.single_logit) means = {1 - means[0], means[0]};
    out.points.push_back({place.text, place.number, std::move(means)});
  }
  if (model.meaning.classification) choose_classes(out);
  return out;
}

}  // namespace halfstep::internal
