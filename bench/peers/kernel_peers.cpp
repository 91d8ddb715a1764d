// bench_kernel_peers: elementwise and row kernels of halfstep beside oneDNN's; see ../README.md.
#include <cmath>
#include <cstdio>

#include "bench/timing.hpp"
#include "halfstep/error.hpp"
#include "kernels/dispatch.hpp"
#include "peers/flags.hpp"
#include "peers/kernel_case.hpp"
#include "peers/peer.hpp"
#include "peers/quiet.hpp"
#include "text/json.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::peers;

namespace halfstep::peers {

using namespace internal;
Library onednn_library();
}  // namespace halfstep::peers

namespace {

constexpr RowKernel kKernels[] = {RowKernel::relu, RowKernel::gelu,    RowKernel::gelu_tanh,  RowKernel::silu,
                                  RowKernel::tanh, RowKernel::sigmoid, RowKernel::layer_norm, RowKernel::softmax};
constexpr Way kWays[] = {Way::forward, Way::backward};
constexpr Dtype kDtypes[] = {Dtype::bf16, Dtype::fp32};
constexpr std::size_t kMostRows = std::size_t{1} << 20, kMostColumns = 8192;

constexpr const char* kUsage =
    "usage: bench_kernel_peers [flags]\n"
    "Elementwise and row kernels of halfstep and of oneDNN, interleaved in one process.\n"
    "  --shapes LIST       ROWSxCOLUMNS each (default: 128x512,512x1024,512x2048)\n"
    "  --kernels LIST      relu, gelu, gelu_tanh, silu, tanh, sigmoid, layer_norm, softmax, all (default: all)\n"
    "  --way LIST          forward, backward, all (default: all)\n"
    "  --dtype LIST        bf16, fp32, all (default: bf16)\n"
    "  --threads LIST      numbers of threads (default: 1,2)\n"
    "  --isa NAME          halfstep's instruction set (default: auto)\n"
    "  --repetitions N     interleaved repetitions that the medians are taken of (default: 9)\n"
    "  --json              one object a line\n";

void write(const std::string& text, std::FILE* to = stdout) {
  std::fputs(text.c_str(), to);
  std::fflush(to);
}

// The two must compute the same thing, up to how exact oneDNN's kernels are and what a 16-bit result loses.
void check(const KernelShape& s, KernelCase& ours, KernelCase& theirs) {
  ours.run();
  theirs.run();
  for (std::size_t i = 0; i < s.elements(); i += 1 + s.elements() / 1000) {
    const float a = ours.result(i), b = theirs.result(i);
    if (std::fabs(a - b) <= (s.dtype == Dtype::fp32 ? 1e-4f : 1e-2f) * std::fmax(std::fabs(b), 0.1f)) continue;
    throw Error(Status::internal, {.what = "the contenders compute different things",
                                   .where = std::string(name(s.kernel)) + " " + std::string(name(s.way)) + " " +
                                            std::string(name(s.dtype)) + ", element " + std::to_string(i),
                                   .why = std::to_string(a) + " and " + std::to_string(b),
                                   .kept = {},
                                   .hint = {}});
  }
}

std::string row(const KernelShape& s, const std::string& isa, int threads, double ours, double theirs, double ratio,
                bool as_json) {
  const double n = static_cast<double>(s.elements()), ns = 1e9 * ours / n, their_ns = 1e9 * theirs / n;
  if (as_json) {
    json::Object o = {{"bench", "kernel_peers"}, {"kernel", name(s.kernel)}, {"way", name(s.way)}};
    o.insert(o.end(), {{"dtype", name(s.dtype)}, {"rows", s.rows}, {"columns", s.columns}, {"isa", isa}});
    o.insert(o.end(), {{"threads", threads}, {"ns", ns}, {"onednn_ns", their_ns}, {"ratio", ratio}});
    return json::dump(o) + "\n";
  }
  char text[160];
  std::snprintf(text, sizeof text, "%-10s %-8s %-4s %12s %3d %12.4f %12.4f %7.3f\n", name(s.kernel).data(),
                name(s.way).data(), name(s.dtype).data(),
                (std::to_string(s.rows) + "x" + std::to_string(s.columns)).c_str(), threads, ns, their_ns, ratio);
  return text;
}

std::string race(const KernelTable& kernels, Executor& executor, const KernelShape& s, int repetitions, bool as_json) {
  const std::unique_ptr<KernelCase> contenders[] = {our_kernel(kernels, executor, s), onednn_kernel(s)};
  if (!contenders[1]) return {};
  check(s, *contenders[0], *contenders[1]);
  std::vector<TimedCase> cases;
  for (const auto& c : contenders) {
    KernelCase* const kernel = c.get();
    cases.push_back({[kernel, &s](std::size_t) {
                       settle();
                       warm_up([kernel] { kernel->run(); }, 1e-9 * static_cast<double>(s.elements()));
                     },
                     0});
    cases.push_back({[kernel](std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) kernel->run();
    }});
  }
  time_interleaved(cases, repetitions);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < cases[1].seconds.size(); ++i) {
    ratios.push_back(cases[3].seconds[i] / cases[1].seconds[i]);
  }
  return row(s, kernels.name, executor.threads(), median(cases[1].seconds), median(cases[3].seconds), median(ratios),
             as_json);
}

void run(std::span<const std::string_view> words) {
  Flag flags[] = {{"shapes", "128x512,512x1024,512x2048"},
                  {"kernels", "all"},
                  {"way", "all"},
                  {"dtype", "bf16"},
                  {"threads", "1,2"},
                  {"isa", "auto"},
                  {"repetitions", "9"}};
  const Switches switches = read_flags(words, flags);
  if (switches.help) return write(kUsage);
  const auto value = [&](std::string_view flag) { return value_of(flags, flag); };
  const auto chosen = choices(value("kernels"), kKernels, "--kernels");
  const auto ways = choices(value("way"), kWays, "--way");
  const auto dtypes = choices(value("dtype"), kDtypes, "--dtype");
  const auto repetitions = static_cast<int>(number(std::string(value("repetitions")), 10000, "--repetitions"));
  const KernelTable& kernels = select_isa(std::string(value("isa")));
  const Library library = onednn_library();
  write("halfstep " + std::string(kernels.name) + ", " + parallel_back_end() + "; " + library.description + "\n",
        switches.json ? stderr : stdout);
  if (!switches.json) write("kernel     way      type        shape thr  halfstep ns    oneDNN ns   ratio\n");
  for (const int threads : thread_numbers(value("threads"))) {
    const ParallelLimit limit(threads);
    const std::unique_ptr<Executor> executor = make_executor(threads);
    const std::string reason = library.set_threads(threads);
    if (!reason.empty()) {
      write("left out at " + std::to_string(threads) + " threads: " + reason + "\n", stderr);
      continue;
    }
    for (const std::string& text : split(value("shapes"), ',')) {
      const std::vector<std::string> sizes = split(text, 'x');
      if (sizes.size() != 2) refuse("'" + text + "' is not ROWSxCOLUMNS", "--shapes", "--shapes 512x1024");
      const std::size_t rows = number(sizes[0], kMostRows, "--shapes"),
                        columns = number(sizes[1], kMostColumns, "--shapes");
      if (columns % kLanes != 0 || rows % 2 != 0) refuse("rows are even, columns a multiple of 16", "--shapes", text);
      for (const Dtype dtype : dtypes) {
        for (const RowKernel kernel : chosen) {
          for (const Way way : ways) {
            if (kernel == RowKernel::softmax && way == Way::backward) continue;  // halfstep has its loss only
            write(race(kernels, *executor, {kernel, way, dtype, rows, columns}, repetitions, switches.json));
          }
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  try {
    run(words);
    return 0;
  } catch (const Error& e) {
    write("bench_kernel_peers: " + std::string(e.what()) + "\n", stderr);
    return e.status() == Status::invalid_argument ? 2 : 1;
  } catch (const std::exception& e) {
    write("bench_kernel_peers: " + std::string(e.what()) + "\n", stderr);
    return 1;
  }
}
