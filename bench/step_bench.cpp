// Training steps per second of one network on random data, clip on.
// usage: step_bench WIDTHS BATCH PRECISION OPTIMIZER [THREADS]   e.g. step_bench 784,512,512,10 128 bf16 adamw
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "halfstep/options.hpp"
#include "train/batcher.hpp"
#include "train/machine.hpp"
#include "train/step.hpp"

using namespace halfstep;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<std::size_t> parse_widths(const std::string& text) {
  std::vector<std::size_t> widths;
  for (const char* p = text.data(); p < text.data() + text.size(); ++p) {
    std::size_t width = 0;
    p = std::from_chars(p, text.data() + text.size(), width).ptr;
    widths.push_back(width);
  }
  return widths;
}

data::Examples random_examples(std::size_t rows, std::size_t features, std::size_t classes) {
  data::Examples examples;
  examples.rows = rows;
  examples.features = features;
  const Rng rng(1, 1);
  for (std::size_t i = 0; i < rows * features; ++i) examples.x.push_back(rng.uniform(i) * 2 - 1);
  for (std::size_t i = 0; i < rows; ++i) {
    examples.labels.push_back(static_cast<std::int32_t>(rng.below(i, static_cast<std::uint32_t>(classes))));
  }
  return examples;
}

// Median seconds of one call over nine windows of about 0.2 s.
template <class F>
double median_seconds(F f) {
  for (int i = 0; i < 3; ++i) f();
  const double start = now();
  f();
  const int inner = std::max(1, static_cast<int>(0.2 / (now() - start)));
  std::vector<double> windows;
  for (int w = 0; w < 9; ++w) {
    const double t = now();
    for (int i = 0; i < inner; ++i) f();
    windows.push_back((now() - t) / inner);
  }
  std::sort(windows.begin(), windows.end());
  return windows[windows.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: step_bench WIDTHS BATCH PRECISION OPTIMIZER [THREADS]\n");
    return 2;
  }
  const std::vector<std::size_t> widths = parse_widths(argv[1]);
  Options options;
  set_option(options, "batch", argv[2]);
  set_option(options, "precision", argv[3]);
  set_option(options, "optimizer", argv[4]);
  if (argc > 5) set_option(options, "threads", argv[5]);
  const auto batch = static_cast<std::size_t>(options.batch);

  Machine machine(options);
  GemmContext context(*machine.kernels, *machine.executor);
  Mlp model({.widths = widths, .activation = Activation::relu, .dtype = options.precision, .max_rows = batch});
  model.initialise(0, *machine.kernels);
  const auto loss = make_loss(LossKind::cross_entropy, 1);
  const auto optimizer = make_optimizer({.kind = options.optimizer}, TrainStep::tensor_sizes(model));
  GradScaler scaler(
      {.dynamic = options.precision == Dtype::fp16, .initial = options.precision == Dtype::fp16 ? 65536.0f : 1.0f});
  TrainStep step(context, model, *loss, *optimizer, scaler, {.norm = 1});
  const data::Examples examples = random_examples(batch, widths.front(), widths.back());
  Batcher batcher(examples, batch, machine.executor->threads());
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < batch; ++i) order.push_back(i);
  batcher.load(context, order, model.input());

  const double with_input = median_seconds([&] {
    batcher.load(context, order, model.input());
    step.run(batch, batcher.targets(), 1e-4);
  });
  const double seconds = median_seconds([&] { step.run(batch, batcher.targets(), 1e-4); });
  double flop = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    flop += (i == 0 ? 4.0 : 6.0) * static_cast<double>(batch * widths[i] * widths[i + 1]);
  }
  std::printf(
      "%s batch %zu %s %s %s threads %d: %.0f samples/s %.1f us/step %.1f GFLOP/s; with input staging %.0f samples/s\n",
      argv[1], batch, argv[3], argv[4], machine.kernels->name, machine.executor->threads(),
      static_cast<double>(batch) / seconds, seconds * 1e6, flop / seconds / 1e9,
      static_cast<double>(batch) / with_input);
  return 0;
}
