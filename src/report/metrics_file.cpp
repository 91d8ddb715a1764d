#include "report/metrics_file.hpp"

#include "halfstep/error.hpp"
#include "text/json.hpp"

namespace halfstep::internal::report {
namespace {

constexpr std::size_t kMostIncidents = 200;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(Status::format, {.what = "this is no metrics file",
                               .where = name,
                               .why = why,
                               .kept = {},
                               .hint = "a file that halfstep train --metrics wrote"});
}

double number_or_nan(const json::Value& line, std::string_view key) {
  const json::Value* const value = line.find(key);
  return value ? value->as_number() : kNan;
}

EpochPoint epoch_of(const json::Value& line) {
  EpochPoint e;
  e.epoch = line.at("epoch").as_integer();
  e.step = line.at("step").as_integer();
  e.train_loss = line.at("loss").as_number();
  e.lr = number_or_nan(line, "lr");
  e.grad_norm = number_or_nan(line, "grad_norm");
  e.loss_scale = number_or_nan(line, "loss_scale");
  e.samples_per_s = number_or_nan(line, "samples_per_s");
  for (std::size_t i = 0; i < kMetrics; ++i) {
    e.eval[i] = number_or_nan(line, "eval_" + std::string(name(static_cast<MetricKind>(i))));
  }
  return e;
}

StepCounts counts_of(const json::Value& line) {
  return {.attempted = line.at("step").as_integer(),
          .applied = line.at("applied").as_integer(),
          .retried = line.at("retried").as_integer(),
          .skipped = line.at("skipped").as_integer()};
}

void add_line(const json::Value& line, MetricsFile& file) {
  if (line.find("epoch")) {
    file.epochs.push_back(epoch_of(line));
    file.steps = counts_of(line);
    return;
  }
  const auto outcome = from_name<StepOutcome>(line.at("event").as_string());
  if (!outcome || file.incidents.size() == kMostIncidents) return;  // readings of the meters
  StepRecord record;
  record.outcome = *outcome;
  record.step = line.at("step").as_integer();
  record.cause = from_name<StepCause>(line.at("cause").as_string()).value_or(StepCause::none);
  record.loss_scale = line.at("loss_scale").as_number();
  file.incidents.push_back(std::move(record));
}

}  // namespace

MetricsFile read_metrics(const std::string& name, std::string_view text) {
  MetricsFile file;
  file.name = name;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    ++number;
    try {
      add_line(json::parse(text.substr(0, end)), file);
    } catch (const Error& error) {
      refuse(name, "line " + std::to_string(number) + ": " + error.what());
    }
    text.remove_prefix(end + 1);
  }
  if (file.epochs.empty()) refuse(name, "it has no epoch");
  return file;
}

}  // namespace halfstep::internal::report
