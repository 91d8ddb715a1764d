#include "run/run_report.hpp"

#include <algorithm>
#include <exception>

#include "halfstep/error.hpp"
#include "halfstep/info.hpp"
#include "io/safe_file.hpp"
#include "kernels/cpu.hpp"
#include "report/markup.hpp"
#include "report/run_page.hpp"
#include "run/held_out.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {
namespace {

constexpr std::int64_t kReadings = 20;
constexpr std::size_t kLongestValue = 400;

std::vector<std::pair<std::string, std::string>> changed_from_defaults(const Options& options) {
  std::vector<std::pair<std::string, std::string>> changed;
  const auto defaults = config_of(Options{});
  auto config = config_of(options);
  for (std::size_t i = 0; i < config.size(); ++i) {
    if (config[i] != defaults[i])
      changed.emplace_back(config[i].first, report::short_name(config[i].second, kLongestValue));
  }
  return changed;
}

report::HeldOut held_out(const ReportOf& of, const TrainResult& result) {
  report::HeldOut out = of.held_out();
  out.name = result.eval_name;
  out.metrics = result.eval;
  const data::Preprocessor& p = of.prepared.preprocessor;
  for (const std::string& name : p.classes()) out.classes.push_back(report::short_name(name));
  for (const data::TargetColumn& target : p.targets()) out.targets.push_back(report::short_name(target.name));
  return out;
}

std::string make_page(const ReportOf& of, report::RunReport report, const TrainResult& result,
                      const std::string& failure) {
  report.data = of.data;
  report.version = version();
  report.cpu = cpu_name();
  report.repeat = of.options.command;
  report.failure = failure;
  report.plan = of.plan;
  report.result = result;
  for (const std::string& line : of.prepared.preprocessor.describe())
    report.preprocessing.push_back(report::short_name(line, kLongestValue));
  report.changed = changed_from_defaults(of.options);
  if (failure.empty()) report.held_out = held_out(of, result);  // else the weights are good for nothing
  return report::run_page(report);
}

std::string lost(const std::string& path, const std::string& why, const std::string& failure) {
  ErrorParts parts = {.what = "cannot write the report", .where = path, .why = why, .kept = {}, .hint = {}};
  if (failure.empty()) parts.kept = "the run and its model";
  parts.hint = "a path that can be written for --report";
  return Error(Status::io, parts).what();
}

}  // namespace

std::int64_t meter_every(const Options& options, std::int64_t steps) {
  if (options.report.empty() || options.meter_every > 0) return options.meter_every;
  return std::max<std::int64_t>(1, (steps + kReadings - 1) / kReadings);
}

report::HeldOut held_out_of_run(StepTrainer& trainer, const OutputMeaning& meaning, const Prepared& prepared) {
  const bool validated = prepared.validation.rows > 0;
  const data::Examples& examples = validated ? prepared.validation : prepared.test;
  if (examples.rows == 0) return {};
  const TrainerConfig& config = trainer.config();
  const RowsToLookAt rows = {
      trainer.context().kernels, config.model, meaning,
      prepared.preprocessor,     examples,     validated ? prepared.validation_rows : prepared.test_rows};
  report::HeldOut out = look_at_rows(rows, [&](const std::function<void(const float*)>& look) {
    for_each_batch(trainer.context(), trainer.model(), examples, meaning,
                   [&](std::size_t, std::size_t count, const float* logits, std::size_t ld) {
                     for (std::size_t i = 0; i < count; ++i) look(logits + i * ld);
                   });
  });
  const Networks networks = trainer.model();
  const AskedModel model = {trainer.context(), networks, config.model.loss, meaning, prepared.preprocessor};
  const auto steps = static_cast<double>(trainer.clock().attempted * config.accumulate);
  const double trained = steps * static_cast<double>(std::min(config.batch, config.rows));
  out.importance = column_use(model, config.model, {{networks, examples}}, trained, config.seed);
  return out;
}

std::string write_report(const ReportOf& of, report::RunReport recorded, const TrainResult& result,
                         const std::string& failure) {
  const std::string& path = of.options.report;
  try {
    const std::string page = make_page(of, std::move(recorded), result, failure);
    const io::Bytes bytes = io::as_bytes(page);
    io::write_file_atomic(path, std::span(&bytes, 1));
    return {};
  } catch (const Error& error) {
    return lost(path, error.parts().why.empty() ? error.parts().what : error.parts().why, failure);
  } catch (const std::exception& error) {  // no memory left for it
    return lost(path, error.what(), failure);
  }
}

}  // namespace halfstep::internal
