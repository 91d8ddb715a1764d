#include "halfstep/bench.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "halfstep/error.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

[[noreturn]] void refuse(std::string what, std::string where, std::string hint) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = std::move(where), .why = {}, .kept = {}, .hint = std::move(hint)});
}

std::vector<std::string> items(const Args& args, std::string_view flag) {
  std::vector<std::string> out;
  std::string_view rest = flag_value(args, flag);
  while (true) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (comma == 0) refuse("an empty item in a list", "--" + std::string(flag), {});
    out.emplace_back(rest.substr(0, comma));
    if (comma == rest.size()) return out;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<std::size_t> numbers(const Args& args, std::string_view flag, std::size_t most) {
  std::vector<std::size_t> out;
  for (const std::string& item : items(args, flag)) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc() || end != item.data() + item.size() || value < 1 || value > most) {
      refuse("'" + item + "' is not a whole number from 1 to " + std::to_string(most), "--" + std::string(flag), {});
    }
    out.push_back(value);
  }
  return out;
}

// Items of a list by their names; "all" stands for each of them.
template <class T, std::size_t N>
std::vector<T> choices(const Args& args, std::string_view flag, const T (&values)[N]) {
  std::vector<T> out;
  std::vector<std::string_view> names;
  for (const T value : values) names.push_back(name(value));
  for (const std::string& item : items(args, flag)) {
    const auto found = std::find(names.begin(), names.end(), item);
    if (item == "all") {
      out.insert(out.end(), std::begin(values), std::end(values));
    } else if (found != names.end()) {
      out.push_back(values[found - names.begin()]);
    } else {
      std::string known = "all";
      for (const std::string_view n : names) known += ", " + std::string(n);
      refuse("unknown name '" + item + "'", "--" + std::string(flag), known);
    }
  }
  return out;
}

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
  for (const std::string& isa : items(args, "isa")) {
    if (isa == "all") {
      request.isas.clear();
      break;
    }
    request.isas.push_back(isa);
  }
  for (const std::size_t threads : numbers(args, "threads", 1024)) request.threads.push_back(static_cast<int>(threads));
  request.repetitions = static_cast<int>(numbers(args, "repetitions", 10000).front());
  const std::string& epilogue = flag_value(args, "epilogue");
  if (epilogue != "plain" && epilogue != "trainer") {
    refuse("unknown name '" + epilogue + "'", "--epilogue", "plain, trainer");
  }
  request.epilogue = epilogue == "plain" ? GemmEpilogue::plain : GemmEpilogue::trainer;
  return request;
}

// Every combination of the lists; each prints as soon as it is measured.
void run_gemm(const Args& args) {
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
            for (const GemmBenchResult& r : bench_gemm(request)) text += args.json ? result_json(r) : result_row(r);
            print(text);
          }
        }
      }
    }
  }
}

}  // namespace

int run_bench(const Args& args) {
  const std::string& kind = args.positional.front();
  if (kind != "gemm") refuse("unknown benchmark '" + kind + "'", "bench", "halfstep bench gemm");
  run_gemm(args);
  return kOk;
}

}  // namespace halfstep::cli
