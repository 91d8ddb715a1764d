// The job that asks a model what it goes by.
#include <algorithm>
#include <cmath>
#include <list>

#include "data/data.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "loss/loss.hpp"
#include "run/column_groups.hpp"
#include "run/dependence.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/output_meaning.hpp"
#include "run/read_text.hpp"
#include "train/inference.hpp"
#include "train/network_of.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kRowsOfPass = 512;
constexpr std::size_t kLeastAsked = 200, kMostAsked = 5000, kMostOfDependence = 500;
constexpr std::size_t kPermutations = 5;
constexpr double kWork = 5e10;            // multiplications: a few seconds
constexpr double kMostNumbers = 1 << 26;  // of a copy of the rows
constexpr std::uint64_t kExplain = 0x4558504cull << 28;

SavedModel load_of_table(const std::string& path) {
  SavedModel saved = load_model(path);
  const data::Recipe& recipe = saved.preprocessor.recipe();
  if (!recipe.is_matrix && !recipe.is_sparse) return saved;
  throw Error(Status::unsupported, {.what = "this model has no columns to explain",
                                    .where = path,
                                    .why = recipe.is_matrix ? "its rows are pictures or arrays"
                                                            : "its features have numbers instead of names",
                                    .kept = {},
                                    .hint = "train --report draws what such a model goes by"});
}

// As many as can be asked about every column in a few seconds.
std::size_t rows_to_ask(const data::Examples& examples, double work_of_row, std::size_t columns) {
  const double fits = std::min(kWork / work_of_row / static_cast<double>(columns * kPermutations + 1),
                               kMostNumbers / static_cast<double>(examples.features));
  const double least = std::min(kLeastAsked, examples.rows);
  const double most = std::min(kMostAsked, examples.rows);
  return static_cast<std::size_t>(std::clamp(fits, least, std::max(least, most)));
}

double deviation_of(const std::vector<double>& values, double mean) {
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

}  // namespace

Explanation explain(const std::string& model, const std::string& data, std::size_t columns, const Options& options) {
  const SavedModel saved = load_of_table(model);
  const Machine machine(options);
  const data::Preprocessor& preprocessor = saved.preprocessor;
  Explanation out;
  data::RawData raw = data::read_data(data, options, &preprocessor.recipe(), {machine.executor.get()});
  add_read(raw, out.reads);
  const data::Examples all = preprocessor.apply(std::move(raw), true, &out.notes);

  GemmContext context(*machine.kernels, *machine.executor);
  std::list<Network> several = networks_of(saved, {.max_rows = std::min(kRowsOfPass, all.rows)}, *machine.kernels);
  const Networks networks(several);
  const OutputMeaning meaning = output_meaning(saved);
  const auto loss = loss_of(saved.spec);
  const auto loss_on = [&](const data::Examples& rows) {
    return measure(context, networks, rows, *loss, meaning, {}).loss;
  };

  const std::vector<ColumnGroup> groups = column_groups(preprocessor.recipe());
  const auto members = static_cast<double>(saved.networks * saved.spec.members);
  const double work_of_row = members * static_cast<double>(several.front().elements()) + 1000;
  const std::size_t rows = rows_to_ask(all, work_of_row, groups.size());
  const data::Examples original = data::in_full(sample_rows(all, rows));
  data::Examples changed = original;
  out.rows = static_cast<std::int64_t>(all.rows);
  out.used = static_cast<std::int64_t>(rows);
  out.permutations = kPermutations;
  out.loss = loss_on(original);

  struct Asked {
    ColumnImportance importance;
    const ColumnGroup* group;
  };
  std::vector<Asked> asked;
  for (const ColumnGroup& group : groups) {
    std::vector<double> increases;
    const std::uint64_t stream = kExplain + static_cast<std::uint64_t>(&group - groups.data()) * kPermutations;
    for (std::size_t p = 0; p < kPermutations; ++p) {
      take_group(changed, original, group, rows_by_chance(rows, Rng(options.seed, stream + p)));
      increases.push_back(loss_on(changed) - out.loss);
    }
    take_group(changed, original, group, rows_in_order(rows));
    double mean = 0;
    for (const double increase : increases) mean += increase / static_cast<double>(kPermutations);
    asked.push_back({{group.column->title(), mean, deviation_of(increases, mean)}, &group});
  }
  std::stable_sort(asked.begin(), asked.end(),
                   [](const Asked& a, const Asked& b) { return a.importance.increase > b.importance.increase; });
  const data::Examples few = data::in_full(sample_rows(original, std::min(rows, kMostOfDependence)));
  const AskedModel of = {context, networks, saved.spec.loss, meaning, preprocessor};
  for (const Asked& a : asked) {
    out.columns.push_back(a.importance);
    if (out.columns.size() <= columns) out.dependences.push_back(dependence_of(of, few, *a.group));
  }
  return out;
}

}  // namespace halfstep
