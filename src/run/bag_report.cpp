#include "run/bag_report.hpp"

#include <list>
#include <vector>

#include "run/held_out.hpp"
#include "run/output_meaning.hpp"
#include "train/member_mean.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kRowsOfUse = 512;

report::Importance use_of_columns(const BagRun& run, const SavedModel& saved, const OutputMeaning& meaning,
                                  const HeldOutRows& rows, const TrainResult& result) {
  std::list<Network> all = networks_of(saved, {.max_rows = kRowsOfUse}, *run.machine.kernels);
  GemmContext context(*run.machine.kernels, *run.machine.executor);
  std::list<data::Examples> examples;
  std::vector<AskedPart> parts;
  double trained = 0;
  auto begin = rows.places.begin();
  auto network = all.begin();
  for (const BaggedNetwork& told : result.bag) {
    const auto end = begin + told.held_out_rows;
    examples.push_back(data::take_rows(run.prepared.train, std::vector<std::uint32_t>(begin, end)));
    parts.push_back({*network++, examples.back()});
    trained += static_cast<double>(told.epochs) * static_cast<double>(run.prepared.train.rows);
    begin = end;
  }
  const Networks together(all);
  const AskedModel model = {context, together, saved.spec.loss, meaning, run.prepared.preprocessor};
  return column_use(model, saved.spec, parts, trained, run.options().seed);
}

}  // namespace

report::HeldOut held_out_of_bag(const BagRun& run, const SavedModel& saved, const HeldOutRows& rows,
                                const TrainResult& result) {
  const OutputMeaning meaning = output_meaning(saved);
  RowNumbers numbers = {.numbers = {}, .lines = run.prepared.train_rows.lines};
  for (const std::uint32_t place : rows.places) {
    if (place < run.prepared.train_rows.numbers.size())
      numbers.numbers.push_back(run.prepared.train_rows.numbers[place]);
  }
  const RowsToLookAt of = {*run.machine.kernels,      saved.spec,    meaning,
                           run.prepared.preprocessor, rows.examples, numbers};
  MemberMean divided(*run.machine.kernels, meaning, rows.said.columns, 1);
  report::HeldOut out = look_at_rows(of, [&](const std::function<void(const float*)>& look) {
    for (std::size_t row = 0; row < rows.examples.rows; ++row) {
      look(divided.of(rows.said.logits.data() + row * rows.said.ld, rows.said.ld));
    }
  });
  out.importance = use_of_columns(run, saved, meaning, rows, result);
  return out;
}

}  // namespace halfstep::internal
