#include "run/held_out_facts.hpp"

#include <algorithm>
#include <cmath>

#include "halfstep/error.hpp"
#include "halfstep/text.hpp"
#include "metrics/temperature.hpp"
#include "run/bad_model.hpp"

namespace halfstep::internal {
namespace {

// Left to itself, a plain run keeps the probabilities that it always had.
bool calibrates(const Options& options) {
  if (options.calibrate != "auto") return options.calibrate == "temperature";
  return options.quality != "plain" || options.ensemble > 1;
}

SaidOfRows without_padding(const OutputsOfRows& outputs, const Loss& loss, const data::Examples& rows) {
  SaidOfRows said;
  said.columns = outputs.columns;
  said.labels = rows.labels;
  const Targets targets = {rows.labels.data(), nullptr, nullptr};
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const float* const logits = outputs.logits.data() + i * outputs.ld;
    said.logits.insert(said.logits.end(), logits, logits + outputs.columns);
    const double of_row = rows.weights.empty() ? 1 : static_cast<double>(rows.weights[i]);
    said.weights.push_back(loss.weight(i, targets) * of_row);
  }
  return said;
}

double temperature_of(const SaidOfRows& said, const OutputMeaning& meaning, TrainResult& result) {
  const double t = fit_temperature(said, meaning);
  result.temperature = t;
  result.calibration = "logits divided by " + short_number(t, 4) + ": log loss of the " +
                       std::to_string(said.labels.size()) + " rows held out " +
                       short_number(loss_at(said, meaning, 1), 4) + " before, " +
                       short_number(loss_at(said, meaning, t), 4) + " then";
  return t;
}

Intervals intervals_of(const OutputsOfRows& said, const data::Examples& rows, bool chosen) {
  std::vector<TargetMisses> targets(said.columns);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const double truth = rows.exact_targets[row * targets.size() + t];
      targets[t].miss.push_back(std::fabs(truth - static_cast<double>(said.logits[row * said.ld + t])));
      targets[t].spread.push_back(said.spreads[row * said.columns + t]);
    }
  }
  return fit_intervals(targets, rows.weights, chosen);
}

}  // namespace

void check_calibration(const Options& options, const OutputMeaning& meaning, bool has_held_out) {
  if (options.calibrate != "temperature" || (meaning.classification && has_held_out)) return;
  throw Error(Status::invalid_argument,
              {.what = "there is nothing to calibrate by",
               .where = "--calibrate temperature",
               .why = meaning.classification ? "no rows are held out of training" : "the targets are values",
               .kept = {},
               .hint = meaning.classification ? "--validation 0.1, or in a cross-validation --early-stop 10"
                                              : "leave it out; halfstep predict --intervals 0.9 says how far off"});
}

bool learns_from_held_out(const Options& options, const OutputMeaning& meaning) {
  return !meaning.classification || calibrates(options);
}

OutputsOfRows::OutputsOfRows(std::size_t rows, std::size_t columns)
    : columns(columns), ld(pad_columns(columns)), logits(rows * ld), spreads(rows * columns) {}

void OutputsOfRows::set(std::size_t first, GemmContext& context, const Networks& model, const data::Examples& rows,
                        const OutputMeaning& meaning) {
  const auto copy = [&](std::size_t row, const float* of_row, const double* spread) {
    std::copy_n(of_row, columns, logits.data() + (first + row) * ld);
    std::copy_n(spread, columns, spreads.data() + (first + row) * columns);
  };
  for_each_row(context, model, rows, meaning, copy);
}

HeldOutFacts facts_of(const Options& options, const Loss& loss, const OutputMeaning& meaning,
                      const data::Examples& held_out, const OutputsOfRows& said, TrainResult& result) {
  HeldOutFacts facts;
  if (!meaning.classification) {
    facts.intervals = intervals_of(said, held_out, options.early_stop > 0);
    result.intervals = intervals_text(facts.intervals);
  } else if (learns_from_held_out(options, meaning)) {
    facts.temperature = temperature_of(without_padding(said, loss, held_out), meaning, result);
  }
  return facts;
}

std::string intervals_text(const Intervals& intervals) {
  if (!intervals.any()) return {};
  const std::string most = intervals.most() < 0.99 ? ", up to " + short_number(intervals.most(), 2) : "";
  return "by " + std::to_string(intervals.rows) + " rows held out: predict --intervals 0.9" + most;
}

json::Value to_json(const HeldOutFacts& facts) {
  json::Object out;
  if (facts.temperature != 1) out.emplace_back("temperature", facts.temperature);
  if (facts.intervals.any()) out.emplace_back("intervals", to_json(facts.intervals));
  return out;
}

HeldOutFacts facts_from_json(const std::string& path, const json::Value& value) {
  HeldOutFacts facts;
  if (const json::Value* t = value.find("temperature")) facts.temperature = t->as_number();
  if (!(facts.temperature >= 0.01 && facts.temperature <= 100)) bad_model(path, "its temperature is out of range");
  if (const json::Value* i = value.find("intervals")) facts.intervals = intervals_from_json(path, *i);
  return facts;
}

}  // namespace halfstep::internal
