#include <utility>

#include "cli/bench.hpp"
#include "cli/bench_table.hpp"
#include "cli/output.hpp"
#include "halfstep/bench.hpp"

namespace halfstep::cli {
namespace {

std::string json(const KernelBenchRequest& request, const KernelBenchResult& r) {
  JsonObject object;
  object.text("bench", "kernels").text("kernel", request.kernel).text("dtype", name(request.dtype)).text("isa", r.isa);
  object.text("place", name(r.place)).integer("elements", static_cast<std::int64_t>(r.elements));
  object.number("median_ns", r.median_ns).number("ns_per_element", r.ns_per_element).number("gb_per_s", r.gb_per_s);
  object.number("copy_gb_per_s", r.copy_gb_per_s).number("fraction_of_copy", r.fraction_of_copy);
  return object.number("speedup", r.speedup).line();
}

constexpr Column kColumns[] = {{"kernel", -22}, {"dtype", -5}, {"isa", -12}, {"in", -6},      {"elements", 9},
                               {"ns/elem", 7},  {"GB/s", 7},   {"copy", 7},  {"fraction", 8}, {"x scalar", 8}};

std::string row(const BenchTable& table, const KernelBenchRequest& request, const KernelBenchResult& r) {
  return table.row({request.kernel, std::string(name(request.dtype)), r.isa, std::string(name(r.place)),
                    std::to_string(r.elements), fixed(r.ns_per_element, r.ns_per_element < 100 ? 3 : 0),
                    fixed(r.gb_per_s, 1), fixed(r.copy_gb_per_s, 1), fixed(r.fraction_of_copy, 3),
                    fixed(r.speedup, 2)});
}

// Numbers of elements, or places to fill.
void set_size(KernelBenchRequest& request, const std::string& item) {
  constexpr KernelPlace kPlaces[] = {KernelPlace::l1, KernelPlace::l2, KernelPlace::memory};
  request.elements = 0;
  for (const KernelPlace place : kPlaces) {
    if (item != name(place)) continue;
    request.place = place;
    return;
  }
  if (item.empty() || item.front() < '0' || item.front() > '9')
    refuse("unknown size '" + item + "'", "--elements", "a number, l1, l2, memory");
  request.elements = number(item, "elements", std::size_t{1} << 36);
}

// Every kernel that was asked for, in each type that was asked for and that it has.
std::vector<KernelBenchRequest> requests(const Args& args) {
  constexpr Dtype kDtypes[] = {Dtype::bf16, Dtype::fp16, Dtype::fp32};
  const std::vector<Dtype> dtypes = choices(args, "dtype", kDtypes, "all");
  std::vector<KernelBenchRequest> out;
  for (const std::string& item : items(args, "kernel")) {
    const std::size_t before = out.size();
    for (const BenchKernel& kernel : bench_kernel_list()) {
      if (item != "all" && item != kernel.name) continue;
      for (const Dtype dtype : dtypes) {
        if (std::find(kernel.dtypes.begin(), kernel.dtypes.end(), dtype) == kernel.dtypes.end()) continue;
        out.push_back({.kernel = std::string(kernel.name), .dtype = dtype});
      }
    }
    // Left to the benchmark to refuse: it knows what is wrong.
    if (out.size() == before) out.push_back({.kernel = item, .dtype = dtypes.front()});
  }
  return out;
}

}  // namespace

// Each row prints as soon as it is measured.
void bench_kernels(const Args& args) {
  const BenchTable table(flag_value(args, "format"), kColumns);
  const std::vector<std::string> sizes = items(args, "elements", "l1,l2,memory");
  std::vector<KernelBenchRequest> all = requests(args);
  std::string text = args.json ? "" : table.head();
  for (KernelBenchRequest& request : all) {
    request.isas = isa_names(args, "all");
    request.repetitions = repetitions(args);
    for (const std::string& size : sizes) {
      set_size(request, size);
      for (const KernelBenchResult& r : halfstep::bench_kernel(request)) {
        text += args.json ? json(request, r) : row(table, request, r);
      }
      print(std::exchange(text, {}));
    }
  }
}

}  // namespace halfstep::cli
