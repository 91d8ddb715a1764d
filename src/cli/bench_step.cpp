#include <utility>

#include "cli/bench.hpp"
#include "cli/bench_table.hpp"
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

// Above a plain table; a file says nothing but its rows.
std::string title(const StepBenchRequest& request, const Args& args) {
  if (flag_value(args, "format") != "table") return {};
  return widths_text(request, "-") + ", " + flag_value(args, "activation") + ", " + flag_value(args, "optimizer") +
         ", clip at " + brief(request.clip_norm) + "; stages and input in % of the step, which input is not part of\n";
}

std::vector<Column> columns() {
  std::vector<Column> out = {{"batch", 6},      {"precision", -9}, {"isa", -12}, {"threads", 7}, {"samples/s", 12},
                             {"median ns", 13}, {"GFLOP/s", 8},    {"peak", 8},  {"bound", 6}};
  for (std::size_t i = 0; i < kStepStages; ++i) out.push_back({name(static_cast<StepStage>(i)), 9});
  out.push_back({"input", 9});
  return out;
}

std::string row(const BenchTable& table, const StepBenchRequest& request, const StepBenchResult& r) {
  std::vector<std::string> cells = {std::to_string(request.batch),
                                    std::string(name(r.precision)),
                                    r.isa,
                                    std::to_string(r.threads),
                                    fixed(r.samples_per_s, 0),
                                    fixed(r.median_ns, 0),
                                    fixed(r.gflops, 1),
                                    fixed(r.peak_gflops, 1),
                                    fixed(r.fraction_of_bound, 3)};
  for (const StepStageTime& stage : r.stages) cells.push_back(fixed(100 * stage.share, 1));
  cells.push_back(fixed(100 * r.input_ns / r.median_ns, 1));
  return table.row(cells);
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

// Small ones, whose steps are so short that a call is seen, and large ones.
struct TracedNetwork {
  std::vector<std::size_t> widths;
  std::size_t batch;
};

std::vector<TracedNetwork> traced_networks(const Args& args, const StepBenchRequest& request,
                                           const std::vector<std::size_t>& batches) {
  const bool defaults = flag_value(args, "widths") == "784,512,512,10" && flag_value(args, "batch") == "128";
  if (defaults) {
    return {{{13, 16, 1}, 32},
            {{30, 64, 32, 2}, 32},
            {{64, 256, 256, 256, 10}, 64},
            {request.widths, 128},
            {{512, 1024, 1024, 100}, 256}};
  }
  std::vector<TracedNetwork> networks;
  for (const std::size_t batch : batches) networks.push_back({request.widths, batch});
  return networks;
}

std::string tracer_json(const StepBenchRequest& request, const TracerBenchResult& r) {
  JsonObject object;
  object.text("bench", "step").boolean("trace", true).raw("widths", "[" + widths_text(request, ",") + "]");
  object.integer("batch", static_cast<std::int64_t>(request.batch)).text("precision", name(r.precision));
  object.text("isa", r.isa).integer("threads", r.threads).number("off_ns", r.off_ns).number("on_ns", r.on_ns);
  return object.number("ratio", r.ratio).integer("skipped", r.skipped).line();
}

void bench_trace(const Args& args, StepBenchRequest request, const std::vector<std::size_t>& batches) {
  constexpr Column kColumns[] = {{"network", -24}, {"batch", 6},   {"precision", -9}, {"isa", -12},
                                 {"threads", 7},   {"off ns", 12}, {"on ns", 12},     {"on / off", 9}};
  const BenchTable table(flag_value(args, "format"), kColumns);
  double sum = 0, count = 0;
  if (!args.json) print(table.head());
  for (const TracedNetwork& network : traced_networks(args, request, batches)) {
    request.widths = network.widths;
    request.batch = network.batch;
    for (const TracerBenchResult& r : bench_tracer(request)) {
      sum += r.ratio;
      ++count;
      print(args.json ? tracer_json(request, r)
                      : table.row({widths_text(request, "-"), std::to_string(request.batch),
                                   std::string(name(r.precision)), r.isa, std::to_string(r.threads), fixed(r.off_ns, 0),
                                   fixed(r.on_ns, 0), fixed(r.ratio, 4)}));
    }
  }
  if (!args.json && flag_value(args, "format") == "table") print("mean of on / off: " + fixed(sum / count, 4) + "\n");
}

}  // namespace

// Precisions, ISAs and threads in turns, then the next batch.
void bench_step(const Args& args) {
  StepBenchRequest request = step_request(args);
  const std::vector<std::size_t> batches = numbers(args, "batch", std::size_t{1} << 30);
  if (is_second(args, "trace", "false", "true")) return bench_trace(args, request, batches);
  const BenchTable table(flag_value(args, "format"), columns());
  std::string text = args.json ? "" : title(request, args) + table.head();
  for (const std::size_t batch : batches) {
    request.batch = batch;
    for (const StepBenchResult& r : halfstep::bench_step(request)) {
      text += args.json ? json(request, r, args) : row(table, request, r);
    }
    print(std::exchange(text, {}));
  }
}

}  // namespace halfstep::cli
