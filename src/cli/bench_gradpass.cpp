#include "cli/bench.hpp"
#include "cli/bench_table.hpp"
#include "cli/output.hpp"
#include "halfstep/bench.hpp"

namespace halfstep::cli {
namespace {

struct Row {
  const GradPassBenchRequest& request;
  const GradPassBenchResult& result;
  const Args& args;

  std::string pass() const { return result.update ? flag_value(args, "optimizer") : "read"; }
};

std::string json(const Row& row) {
  const GradPassBenchResult& r = row.result;
  JsonObject object;
  object.text("bench", "gradpass").text("pass", r.update ? "update" : "read");
  object.text("gradient", name(row.request.gradient))
      .integer("elements", static_cast<std::int64_t>(row.request.elements));
  if (r.update) {
    for (const char* flag : {"optimizer", "moments", "master"}) object.text(flag, flag_value(row.args, flag));
  }
  object.text("isa", r.isa).integer("threads", r.threads).number("median_ns", r.median_ns);
  object.number("gb_per_s", r.gb_per_s).number("read_gb_per_s", r.read_gb_per_s);
  object.number("update_gb_per_s", r.update_gb_per_s).number("bound_ns", r.bound_ns);
  return object.number("fraction_of_bandwidth", r.fraction_of_bandwidth).line();
}

constexpr Column kColumns[] = {{"pass", -6},      {"elements", 10}, {"gradient", -8}, {"isa", -12},  {"threads", 7},
                               {"median ns", 13}, {"GB/s", 8},      {"read", 6},      {"update", 7}, {"fraction", 9}};

std::string text(const BenchTable& table, const Row& row) {
  const GradPassBenchResult& r = row.result;
  return table.row({row.pass(), std::to_string(row.request.elements), std::string(name(row.request.gradient)), r.isa,
                    std::to_string(r.threads), fixed(r.median_ns, 0), fixed(r.gb_per_s, 1), fixed(r.read_gb_per_s, 1),
                    fixed(r.update_gb_per_s, 1), fixed(r.fraction_of_bandwidth, 3)});
}

}  // namespace

void bench_gradpass(const Args& args) {
  constexpr Dtype kGradients[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
  GradPassBenchRequest request;
  request.isas = isa_names(args, "all");
  request.threads = thread_counts(args);
  request.repetitions = repetitions(args);
  request.optimizer = optimizer_flags(args);
  const BenchTable table(flag_value(args, "format"), kColumns);
  if (!args.json) print(table.head());
  for (const Dtype gradient : choices(args, "gradient", kGradients)) {
    request.gradient = gradient;
    for (const std::size_t elements : numbers(args, "elements", std::size_t{1} << 40, "10000000")) {
      request.elements = elements;
      for (const GradPassBenchResult& r : halfstep::bench_gradpass(request)) {
        print(args.json ? json({request, r, args}) : text(table, {request, r, args}));
      }
    }
  }
}

}  // namespace halfstep::cli
