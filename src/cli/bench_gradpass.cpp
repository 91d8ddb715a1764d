#include <cstdio>

#include "cli/bench.hpp"
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

constexpr const char* kTableHead =
    "pass     elements  gradient  isa          threads     median ns     GB/s   read  update  fraction\n";

std::string text(const Row& row) {
  const GradPassBenchResult& r = row.result;
  char line[160];
  std::snprintf(line, sizeof line, "%-6s %10zu  %-8s  %-12s %7d  %12.0f  %7.1f %6.1f %7.1f  %8.3f\n",
                row.pass().c_str(), row.request.elements, name(row.request.gradient).data(), r.isa.c_str(), r.threads,
                r.median_ns, r.gb_per_s, r.read_gb_per_s, r.update_gb_per_s, r.fraction_of_bandwidth);
  return line;
}

}  // namespace

void bench_gradpass(const Args& args) {
  constexpr Dtype kGradients[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
  GradPassBenchRequest request;
  request.isas = isa_names(args, "all");
  request.threads = thread_counts(args);
  request.repetitions = repetitions(args);
  request.optimizer = optimizer_flags(args);
  if (!args.json) print(kTableHead);
  for (const Dtype gradient : choices(args, "gradient", kGradients)) {
    request.gradient = gradient;
    for (const std::size_t elements : numbers(args, "elements", std::size_t{1} << 40)) {
      request.elements = elements;
      for (const GradPassBenchResult& r : halfstep::bench_gradpass(request)) {
        print(args.json ? json({request, r, args}) : text({request, r, args}));
      }
    }
  }
}

}  // namespace halfstep::cli
