#include "cli/commands.hpp"

#include <algorithm>
#include <vector>

#include "cli/output.hpp"
#include "halfstep/error.hpp"
#include "halfstep/info.hpp"
#include "halfstep/text.hpp"
#include "halfstep/types.hpp"

namespace halfstep::cli {
namespace {

using Word = std::string_view;

constexpr Word kEval[] = {"threads",   "isa",     "math",   "seed", "format", "header", "missing",
                          "separator", "decimal", "labels", "json", "quiet",  "v"};
constexpr Word kPredict[] = {"threads",   "isa",     "math",   "seed", "format", "header", "missing",
                             "separator", "decimal", "labels", "out",  "json",   "quiet",  "v"};
constexpr Word kReport[] = {"json", "quiet"};
constexpr Word kInfo[] = {"threads", "isa", "math", "json"};
constexpr Word kDemo[] = {"isa", "json"};
constexpr Word kJson[] = {"json"};

constexpr Flag kReportFlags[] = {{"out", "text", "report.html", {}, "HTML file to write"}};

constexpr Flag kBenchFlags[] = {
    {"dtype", "list", "", {}, "gemm, kernels: storage types: bf16, fp16, fp32, all (default bf16; kernels: all)"},
    {"kernel", "list", "all", {}, "kernels: names as the table shows them"},
    {"layout",
     "list",
     "forward",
     {},
     "gemm: products: forward (y = x W^T), dgrad (dx = dy W), wgrad (dW = dy^T x), all"},
    {"m", "list", "512", "at least 1", "gemm: rows of the result"},
    {"n", "list", "512", "at least 1", "gemm: columns of the result"},
    {"k", "list", "512", "at least 1", "gemm: length of the sums"},
    {"elements", "list", "", "at least 1",
     "gradpass: of the gradient (default 10000000); kernels: of each array, or l1, l2, memory for as many as "
     "fill these (default all three)"},
    {"gradient", "list", "fp32", {}, "gradpass: storage types of the gradient: fp32, bf16, fp16, all"},
    {"widths", "list", "784,512,512,10", "1 to 1048576", "step: inputs, hidden layers, outputs"},
    {"batch", "list", "128", "at least 1", "step: rows per step"},
    {"precision", "list", "bf16", {}, "step: storage of weights and activations: bf16, fp16, fp32, all"},
    {"activation", all_names<Activation>(), "relu", {}, "step: after each hidden layer"},
    {"clip-norm", "number", "1", ">= 0; 0: off", "step: largest L2 norm of the whole gradient"},
    {"optimizer", all_names<OptimizerKind>(), "adamw", {}, "gradpass, step: the update"},
    {"moments", "fp32|bf16", "fp32", {}, "gradpass, step: as in train"},
    {"master", all_names<MasterKind>(), "fp32", {}, "gradpass, step: as in train; the weights of gradpass are bf16"},
    {"isa",
     "list",
     "",
     {},
     "instruction sets, auto for the one that train takes, or all that this CPU runs (default all; step: auto)"},
    {"math", all_names<Math>(), "portable", {}, "gemm, step: native: all also means the ISAs with bits of their own"},
    {"threads", "list", "1,2", "1 to 1024", "gemm, gradpass, step: numbers of threads; kernels run on one"},
    {"epilogue",
     "plain|trainer",
     "plain",
     {},
     "gemm: plain: bias and a row-major result; trainer: with all that a training step fuses in"},
    {"trace",
     "flag",
     "false",
     {},
     "step: what the search for the first value that is not finite costs a healthy step: with it and without, in "
     "turns; "
     "without --widths and --batch on five networks"},
    {"repetitions", "integer", "15", "1 to 10000", "interleaved repetitions that the medians are taken of"},
    {"format", "table|csv|markdown", "table", {}, "of the results, unless they are in JSON"},
};

constexpr Flag kCvFlags[] = {
    {"folds", "integer", "5", "2 to 1000", "parts of the rows, each held out once"},
};

constexpr Flag kPredictFlags[] = {
    {"intervals", "number", "", "more than 0, less than 1",
     "of a regression also between which ends that share of the true values lies, by the rows held out of training"},
};

constexpr Flag kExplainFlags[] = {
    {"columns", "integer", "4", "0 to 1000", "how many of the first columns are told value by value"},
};

constexpr Word kNotOfCv[] = {"test",
                             "out",
                             "metrics",
                             "tensorboard",
                             "report",
                             "resume",
                             "checkpoint-dir",
                             "init-from",
                             "checkpoint-every",
                             "checkpoint-minutes",
                             "checkpoint-keep",
                             "on-save-error",
                             "cache",
                             "capsule",
                             "on-nonfinite",
                             "refit",
                             "bag"};

constexpr Word kNotOfLr[] = {"lr",
                             "schedule",
                             "decay",
                             "decays",
                             "decay-patience",
                             "warmup",
                             "epochs",
                             "steps",
                             "test",
                             "early-stop",
                             "time-limit",
                             "ema",
                             "metric",
                             "average-epochs",
                             "refit",
                             "bag",
                             "out",
                             "metrics",
                             "tensorboard",
                             "report",
                             "meter-every",
                             "resume",
                             "checkpoint-dir",
                             "init-from",
                             "checkpoint-every",
                             "checkpoint-minutes",
                             "checkpoint-keep",
                             "on-save-error",
                             "cache",
                             "capsule",
                             "on-nonfinite",
                             "calibrate"};

constexpr Word kNotOfDoctor[] = {"resume"};

constexpr Command kCommands[] = {
    {"train", "[DATA] [flags]", "train a model; without DATA on builtin:digits", {}, 0, 1, run_train},
    {"cv",
     "DATA [--folds K] [flags]",
     "cross-validation: how good such a model is on rows that it has not seen",
     {},
     1,
     1,
     run_cv,
     kCvFlags,
     kNotOfCv},
    {"lr", "DATA [flags]", "look for a learning rate: the loss while the rate rises", {}, 1, 1, run_lr, {}, kNotOfLr},
    {"eval", "MODEL DATA [flags]", "loss and metrics of a trained model", kEval, 2, 2, run_eval},
    {"predict", "MODEL DATA [--out FILE]", "one row per input row: class and probabilities, or value", kPredict, 2, 2,
     run_predict, kPredictFlags},
    {"explain", "MODEL DATA [--columns N]", "which columns a model goes by, and how its predictions follow from them",
     kEval, 2, 2, run_explain, kExplainFlags},
    {"inspect", "FILE [--json]", "what is in a model file or a checkpoint", kJson, 1, 1, run_inspect},
    {"verify", "FILE.. [--json]", "whether models and checkpoints are whole, and why not", kJson, 1, 1000, run_verify},
    {"report", "METRICS.jsonl.. [--out FILE.html]", "compare runs by their metrics files, on one page", kReport, 1, 100,
     run_report, kReportFlags},
    {"info", "[flags]", "CPU, ISAs and why one was chosen, threads, versions", kInfo, 0, 0, run_info},
    {"doctor",
     "FILE | replay CAPSULE | preflight DATA | machine [flags]",
     "why a step, a run, a model or a machine goes wrong, and which precision suits a run",
     {},
     1,
     100,
     run_doctor,
     {},
     kNotOfDoctor},
    {"bench", "gemm|kernels|gradpass|step [flags]",
     "speed of products, kernels, gradient pass and steps, beside the machine's own", kJson, 1, 1, run_bench,
     kBenchFlags},
    {"demo", "[underflow|scaling|overflow]", "what mixed precision loses, and how it is kept", kDemo, 0, 1, run_demo},
    {"params", "[--json]", "all parameters with type, default, range and help", kJson, 0, 0, run_params},
};

const Command& find_command(Word name) {
  std::vector<Word> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  const Word near = nearest_name(name, names);
  throw Error(Status::invalid_argument,
              {.what = "unknown command",
               .where = std::string(name),
               .why = {},
               .kept = {},
               .hint = near.empty() ? "halfstep --help" : "did you mean halfstep " + std::string(near) + "?"});
}

int run_words(std::span<const Word> words) {
  if (words.empty()) {
    print(general_help());
    return kUsage;
  }
  const Word first = words.front();
  if (first == "--version") {
    print("halfstep " + std::string(version()) + "\n");
    return kOk;
  }
  const bool help = first == "help" || first == "--help" || first == "-h";
  if (help && words.size() == 1) {
    print(general_help());
    return kOk;
  }
  const Command& command = find_command(words[help ? 1 : 0]);
  if (help) {
    print(command_help(command));
    return kOk;
  }
  const Args args = parse_args(command, words.subspan(1));
  if (args.help) {
    print(command_help(command));
    return kOk;
  }
  return command.run(args);
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

int run(std::span<char* const> arguments) {
  // Known before parsing, because a parse error is reported in JSON too.
  const auto end = std::find(arguments.begin(), arguments.end(), Word("--"));
  const bool json = std::find(arguments.begin(), end, Word("--json")) != end;
  try {
    const std::vector<Word> words(arguments.begin(), arguments.end());
    return run_words(words);
  } catch (...) {
    return report_failure(json);
  }
}

}  // namespace halfstep::cli
