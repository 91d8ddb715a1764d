#include "cli/bench.hpp"

#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace halfstep::cli {
namespace {

using Word = std::string_view;

struct Kind {
  Word name;
  void (*run)(const Args&);
  std::span<const Word> flags;  // beside those of every kind
};

constexpr Word kGemmFlags[] = {"dtype", "layout", "m", "n", "k", "epilogue", "math", "threads"};
constexpr Word kKernelFlags[] = {"kernel", "dtype", "elements"};
constexpr Word kGradPassFlags[] = {"elements", "gradient", "optimizer", "moments", "master", "threads"};
constexpr Word kStepFlags[] = {"widths",  "batch",  "precision", "activation", "optimizer", "clip-norm",
                               "moments", "master", "math",      "threads",    "trace"};
constexpr Word kCommonFlags[] = {"isa", "repetitions", "format"};
constexpr Kind kKinds[] = {{"gemm", bench_gemm, kGemmFlags},
                           {"kernels", bench_kernels, kKernelFlags},
                           {"gradpass", bench_gradpass, kGradPassFlags},
                           {"step", bench_step, kStepFlags}};

bool holds(std::span<const Word> list, Word name) { return std::find(list.begin(), list.end(), name) != list.end(); }

// One left at its default cannot be told from one not given.
void refuse_ignored(const Args& args, const Kind& kind, std::span<const Flag> flags) {
  for (const Flag& flag : flags) {
    if (holds(kCommonFlags, flag.name) || holds(kind.flags, flag.name)) continue;
    if (flag_value(args, flag.name) == flag.default_value) continue;
    refuse("flag does not apply", "--" + std::string(flag.name),
           "bench " + std::string(kind.name) + " would ignore it");
  }
}

}  // namespace

OptimizerOptions optimizer_flags(const Args& args) {
  constexpr Dtype kMoments[] = {Dtype::fp32, Dtype::bf16};
  OptimizerOptions options;
  options.kind = choice<OptimizerKind>(args, "optimizer");
  options.moments = choice(args, "moments", kMoments);
  options.master = choice<MasterKind>(args, "master");
  return options;
}

int repetitions(const Args& args) { return static_cast<int>(numbers(args, "repetitions", 10000).front()); }

Math math(const Args& args) { return is_second(args, "math", "portable", "native") ? Math::native : Math::portable; }

int run_bench(const Args& args) {
  const std::string& name = args.positional.front();
  for (const Kind& kind : kKinds) {
    if (kind.name != name) continue;
    for (const Command& command : commands()) {
      if (command.run == run_bench) refuse_ignored(args, kind, command.flags);
    }
    if (args.json && flag_value(args, "format") != "table") {
      refuse("JSON or another format, not both", "--format", "leave --json out");
    }
    kind.run(args);
    return kOk;
  }
  refuse("unknown benchmark '" + name + "'", "bench",
         "halfstep bench gemm, halfstep bench kernels, halfstep bench gradpass, halfstep bench step");
}

}  // namespace halfstep::cli
