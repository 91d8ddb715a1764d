#include "halfstep/bench.hpp"

#include <cstdio>

#include "cli/bench.hpp"
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

constexpr const char* kTableHead =
    "dtype layout       m      n      k  isa          threads     median ns    GFLOP/s     peak  fraction\n";

std::string result_row(const GemmBenchResult& r) {
  char line[160];
  std::snprintf(line, sizeof line, "%-5s %-7s %6zu %6zu %6zu  %-12s %7d  %12.0f  %9.1f %8.1f  %8.3f\n",
                name(r.shape.dtype).data(), name(r.shape.product).data(), r.shape.m, r.shape.n, r.shape.k,
                r.isa.c_str(), r.threads, r.median_ns, r.gflops, r.peak_gflops, r.fraction_of_peak);
  return line;
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
  const std::vector<Dtype> dtypes = choices(args, "dtype", kDtypes);
  const std::vector<Product> products = choices(args, "layout", kProducts);
  if (!args.json) print(kTableHead);
  for (const Dtype dtype : dtypes) {
    for (const Product product : products) {
      for (const std::size_t m : ms) {
        for (const std::size_t n : ns) {
          for (const std::size_t k : ks) {
            request.shape = {.product = product, .dtype = dtype, .m = m, .n = n, .k = k};
            std::string text;
            for (const GemmBenchResult& r : halfstep::bench_gemm(request))
              text += args.json ? result_json(r) : result_row(r);
            print(text);
          }
        }
      }
    }
  }
}

}  // namespace halfstep::cli
