#include <cstdio>
#include <utility>

#include "cli/bench.hpp"
#include "cli/output.hpp"
#include "halfstep/bench.hpp"

namespace halfstep::cli {
namespace {

// Every stage with one number of its own.
std::string stages_json(const StepBenchResult& r, double StepStageTime::*field) {
  JsonObject object;
  for (std::size_t i = 0; i < kStepStages; ++i) object.number(name(static_cast<StepStage>(i)), r.stages[i].*field);
  return object.str();
}

std::string widths_text(const StepBenchRequest& request, std::string_view separator) {
  std::vector<std::string> texts;
  for (const std::size_t width : request.widths) texts.push_back(std::to_string(width));
  return joined(texts, separator);
}

std::string json(const StepBenchRequest& request, const StepBenchResult& r, const Args& args) {
  JsonObject object;
  object.text("bench", "step").raw("widths", "[" + widths_text(request, ",") + "]");
  object.integer("batch", static_cast<std::int64_t>(request.batch)).text("precision", name(r.precision));
  for (const char* flag : {"activation", "optimizer", "moments", "master"}) object.text(flag, flag_value(args, flag));
  object.number("clip_norm", request.clip_norm).text("isa", r.isa).integer("threads", r.threads);
  object.number("samples_per_s", r.samples_per_s).number("median_ns", r.median_ns).number("gflops", r.gflops);
  object.number("bound_ns", r.bound_ns).number("fraction_of_bound", r.fraction_of_bound);
  object.number("peak_gflops", r.peak_gflops).number("read_gb_per_s", r.read_gb_per_s);
  object.number("update_gb_per_s", r.update_gb_per_s).number("cache_bytes", r.cache_bytes);
  object.number("input_ns", r.input_ns).boolean("input_in_median", false).integer("skipped", r.skipped);
  object.raw("stages", stages_json(r, &StepStageTime::share));
  return object.raw("stage_bound_ns", stages_json(r, &StepStageTime::bound_ns)).line();
}

std::string table_head(const StepBenchRequest& request, const Args& args) {
  std::string text = widths_text(request, "-") + ", " + flag_value(args, "activation") + ", " +
                     flag_value(args, "optimizer") + ", clip at " + brief(request.clip_norm) +
                     "; stages and input in % of the step, which input is not part of\n";
  text += " batch precision  isa          threads    samples/s     median ns  GFLOP/s     peak  bound ";
  for (std::size_t i = 0; i < kStepStages; ++i) {
    char cell[16];
    std::snprintf(cell, sizeof cell, " %9s", name(static_cast<StepStage>(i)).data());
    text += cell;
  }
  return text + "     input\n";
}

std::string row(const StepBenchRequest& request, const StepBenchResult& r) {
  char line[160];
  std::snprintf(line, sizeof line, "%6zu %-9s  %-12s %7d %12.0f  %12.0f %8.1f %8.1f  %5.3f ", request.batch,
                name(r.precision).data(), r.isa.c_str(), r.threads, r.samples_per_s, r.median_ns, r.gflops,
                r.peak_gflops, r.fraction_of_bound);
  std::string text = line;
  auto percent = [&](double share) {
    std::snprintf(line, sizeof line, " %9.1f", 100 * share);
    text += line;
  };
  for (const StepStageTime& stage : r.stages) percent(stage.share);
  percent(r.input_ns / r.median_ns);
  return text + "\n";
}

// Parsed and judged by the parameters of train that these flags are named after.
StepBenchRequest step_request(const Args& args) {
  Options options;
  for (const char* flag : {"activation", "clip-norm"}) set_option(options, flag, flag_value(args, flag));
  StepBenchRequest request;
  request.widths = numbers(args, "widths", std::size_t{1} << 20);
  request.activation = options.activation;
  request.clip_norm = options.clip_norm;
  request.optimizer = optimizer_flags(args);
  constexpr Dtype kPrecisions[] = {Dtype::bf16, Dtype::fp16, Dtype::fp32};
  request.precisions = choices(args, "precision", kPrecisions);
  request.isas = isa_names(args, "auto");
  request.math = math(args);
  request.threads = thread_counts(args);
  request.repetitions = repetitions(args);
  return request;
}

}  // namespace

// Precisions, ISAs and threads in turns, then the next batch.
void bench_step(const Args& args) {
  StepBenchRequest request = step_request(args);
  const std::vector<std::size_t> batches = numbers(args, "batch", std::size_t{1} << 30);
  std::string text = args.json ? "" : table_head(request, args);
  for (const std::size_t batch : batches) {
    request.batch = batch;
    for (const StepBenchResult& r : halfstep::bench_step(request)) {
      text += args.json ? json(request, r, args) : row(request, r);
    }
    print(std::exchange(text, {}));
  }
}

}  // namespace halfstep::cli
