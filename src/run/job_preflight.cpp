// The job that says before a run which precision suits it.
#include <utility>

#include "base/float16.hpp"
#include "halfstep/error.hpp"
#include "halfstep/preflight.hpp"
#include "optim/optimizer.hpp"
#include "run/cache_choice.hpp"
#include "run/init_from.hpp"
#include "run/narrow_columns.hpp"
#include "run/precision_choice.hpp"
#include "run/preflight_findings.hpp"

namespace halfstep {

using namespace internal;
namespace {

void add_constants(const Options& options, Preflight& report) {
  const auto add = [&](const char* name, double value) {
    const auto narrow = static_cast<float>(value);
    const auto fp16 = static_cast<double>(to_fp32(to_fp16(narrow)));
    const auto bf16 = static_cast<double>(to_fp32(to_bf16(narrow)));
    const auto vanishes = [&](double stored) { return value != 0 && value != 1 && (stored == 0 || stored == 1); };
    if (vanishes(fp16) || vanishes(bf16)) report.constants.push_back({name, value, fp16, bf16});
  };
  for (const char* name : {"epsilon", "beta1", "beta2"}) {
    if (!optimizer_has(options.optimizer, name)) continue;
    const std::string_view is = name;
    add(name, is == "epsilon" ? options.epsilon : is == "beta1" ? options.beta1 : options.beta2);
  }
  add("lr", options.lr);
  add("lr x weight-decay", options.lr * options.weight_decay);
  add("ema", options.ema);
}

}  // namespace

Preflight preflight(const std::string& data, const Options& given) {
  Options options = given;
  validate(options);
  if (!options.resume.empty()) {
    throw Error(Status::invalid_argument, {.what = "a preflight looks at a run that begins",
                                           .where = "--resume",
                                           .why = "one that goes on keeps the precision of its checkpoint",
                                           .kept = {},
                                           .hint = "leave it out"});
  }
  const std::optional<SavedModel> start = model_to_start_from(options);
  const Machine machine(options);
  const data::ReadHow how = {.executor = machine.executor.get(), .cache = cache_choice(options)};
  Source source(data, options, how, start ? &start->preprocessor.recipe() : nullptr);
  source.settle(options);
  const Prepared prepared = prepare(std::move(source), options, how);
  PrecisionChoice choice = choose_precision({options, prepared, machine, start ? &*start : nullptr}, {});
  choice.report.columns = narrow_columns(prepared, choice.extremes);
  add_constants(options, choice.report);
  choice.report.findings = preflight_findings(choice.report, choice.layers);
  return std::move(choice.report);
}

}  // namespace halfstep
