#include "halfstep/bench.hpp"

#include "cli/bench.hpp"
#include "cli/bench_table.hpp"
#include "cli/output.hpp"

namespace halfstep::cli {
namespace {

std::string result_json(const GemmBenchResult& r) {
  JsonObject object;
  object.text("bench", "gemm").text("dtype", name(r.shape.dtype)).text("layout", name(r.shape.product));
  object.integer("m", static_cast<std::int64_t>(r.shape.m)).integer("n", static_cast<std::int64_t>(r.shape.n));
  object.integer("k", static_cast<std::int64_t>(r.shape.k)).text("isa", r.isa).integer("threads", r.threads);
  object.number("median_ns", r.median_ns).number("gflops", r.gflops).number("peak_gflops", r.peak_gflops);
  return object.number("fraction_of_peak", r.fraction_of_peak).line();
}

constexpr Column kColumns[] = {{"dtype", -5},   {"layout", -7}, {"m", 6},       {"n", 6},
                               {"k", 6},        {"isa", -12},   {"threads", 7}, {"median ns", 13},
                               {"GFLOP/s", 10}, {"peak", 9},    {"fraction", 8}};

std::string result_row(const BenchTable& table, const GemmBenchResult& r) {
  const GemmBenchShape& s = r.shape;
  return table.row({std::string(name(s.dtype)), std::string(name(s.product)), std::to_string(s.m), std::to_string(s.n),
                    std::to_string(s.k), r.isa, std::to_string(r.threads), fixed(r.median_ns, 0), fixed(r.gflops, 1),
                    fixed(r.peak_gflops, 1), fixed(r.fraction_of_peak, 3)});
}

GemmBenchRequest gemm_request(const Args& args) {
  GemmBenchRequest request;
  request.isas = isa_names(args, "all");
  request.threads = thread_counts(args);
  request.repetitions = repetitions(args);
  request.math = math(args);
  request.epilogue = is_second(args, "epilogue", "plain", "trainer") ? GemmEpilogue::trainer : GemmEpilogue::plain;
  return request;
}

}  // namespace

// Every combination of the lists; each prints as soon as it is measured.
void bench_gemm(const Args& args) {
  GemmBenchRequest request = gemm_request(args);
  constexpr std::size_t kMost = std::size_t{1} << 30;
  const std::vector<std::size_t> ms = numbers(args, "m", kMost), ns = numbers(args, "n", kMost),
                                 ks = numbers(args, "k", kMost);
  constexpr Product kProducts[] = {Product::forward, Product::input_gradient, Product::weight_gradient};
  constexpr Dtype kDtypes[] = {Dtype::bf16, Dtype::fp16, Dtype::fp32};
  const std::vector<Dtype> dtypes = choices(args, "dtype", kDtypes, "bf16");
  const std::vector<Product> products = choices(args, "layout", kProducts);
  const BenchTable table(flag_value(args, "format"), kColumns);
  if (!args.json) print(table.head());
  for (const Dtype dtype : dtypes) {
    for (const Product product : products) {
      for (const std::size_t m : ms) {
        for (const std::size_t n : ns) {
          for (const std::size_t k : ks) {
            request.shape = {.product = product, .dtype = dtype, .m = m, .n = n, .k = k};
            std::string text;
            for (const GemmBenchResult& r : halfstep::bench_gemm(request))
              text += args.json ? result_json(r) : result_row(table, r);
            print(text);
          }
        }
      }
    }
  }
}

}  // namespace halfstep::cli
