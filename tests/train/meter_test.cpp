// What the meters count is what lies in memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"
#include "train/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

struct Counts {
  std::int64_t zero = 0, subnormal = 0, infinite = 0;
};

Counts stored_counts(Dtype dtype, const void* data, std::size_t ld, std::size_t rows, std::size_t columns) {
  Counts c;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    const float size = std::fabs(get(dtype, data, i / columns * ld + i % columns));
    c.zero += size == 0;
    c.infinite += !std::isfinite(size);
    c.subnormal += size > 0 && size < (dtype == Dtype::fp16 ? 0x1p-14f : 0x1p-126f);
  }
  return c;
}

// What is stored before the output of that name.
const StoredSignal& first_signal(const Network& model, std::string_view name) {
  const auto all = model.signals();
  return *std::find_if(all.begin(), all.end(), [&](const StoredSignal& s) { return s.name == name; });
}

void check(Mismatches& wrong, const std::string& what, const TensorMeter& m, const Counts& stored,
           std::int64_t elements) {
  std::int64_t sum = 0;
  for (const std::int64_t count : m.exponents) sum += count;
  if (m.elements != elements || sum != elements) wrong.add(what, " elements ", m.elements, " and ", sum);
  if (m.exponents[0] + m.flushed != stored.zero) wrong.add(what, " zeros ", m.flushed, " of ", stored.zero);
  if (m.subnormal != stored.subnormal) wrong.add(what, " subnormal ", m.subnormal, " not ", stored.subnormal);
  if (m.saturated + m.non_finite != stored.infinite)
    wrong.add(what, " infinite ", m.saturated, " not ", stored.infinite);
}

}  // namespace

TEST_CASE("meter: counts at each border of a storage type") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    // Zero; to zero; least subnormal; subnormal; least normal; largest; to infinity; infinite.
    const float values[] = {0.0f, 0x1p-25f, 0x1.8p-25f, -0x1.ffp-15f, 0x1p-14f, 65519.0f, -65520.0f, INFINITY, kNan};
    TensorMeter fp16;
    fp16.storage = Dtype::fp16;
    count_storage(kernels, std::size(values), values, fp16);
    CHECK(fp16.elements == 9);
    CHECK(fp16.flushed == 1);
    CHECK(fp16.subnormal == 2);
    CHECK(fp16.saturated == 1);
    CHECK(fp16.non_finite == 2);
    CHECK(fp16.exponents[0] == 1);
    CHECK(fp16.exponents[127 - 25] == 2);
    CHECK(fp16.exponents[255] == 2);
    TensorMeter bf16;
    bf16.storage = Dtype::bf16;
    count_storage(kernels, std::size(values), values, bf16);
    CHECK(bf16.flushed == 0);
    CHECK(bf16.saturated == 0);
    const std::vector<float> many(1000, 0x1p-30f);
    count_storage(kernels, many.size(), many.data(), fp16);
    CHECK(fp16.flushed == 1001);
  });
}

TEST_CASE("meter: a step's tensors are counted as they lie in memory, and the step stays what it was") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    struct Case {
      Activation activation;
      Norm norm;
      double dropout;
      bool residual = false;
    };
    for (const auto& [activation, norm, dropout, residual] : {Case{Activation::relu, Norm::none, 0},
                                                              {Activation::silu, Norm::none, 0},
                                                              {Activation::relu, Norm::layer, 0.25},
                                                              {Activation::gelu, Norm::batch, 0.25},
                                                              {Activation::silu, Norm::layer, 0.25, true},
                                                              {Activation::relu, Norm::none, 0, true},
                                                              {Activation::tanh, Norm::none, 0.5}}) {
      for (float scale : {1.0f, 0x1p-8f, 0x1p24f}) {
        std::vector<std::uint32_t> bits[2];
        for (bool metered : {false, true}) {
          const auto executor = make_executor(2, "threads");
          GemmContext context(kernels, *executor);
          Network model({.widths = {30, residual ? 30u : 70u, residual ? 30u : 20u, 5},
                         .activation = activation,
                         .norm = norm,
                         .dropout = dropout,
                         .residual = residual,
                         .layer_dtypes = {Dtype::fp16, Dtype::bf16, Dtype::fp16},
                         .max_rows = 50});
          model.initialise(1, kernels);
          const auto loss = make_loss(LossKind::cross_entropy, 1.0);
          const auto optimizer = make_optimizer({}, TrainStep::tensor_sizes(model));
          GradScaler scaler({.dynamic = false, .initial = scale});
          Clock clock;
          TrainStep step(context, model, *loss, *optimizer, scaler, clock, {});
          StepMeter meter(model);
          const Examples examples(37, 30, 5);
          set_input(model, examples);
          const StepReport report = step.run(37, examples.targets(), 1e-5, metered ? &meter : nullptr);
          bits[metered ? 1 : 0] = master_bits(model);
          if (!metered) continue;
          CHECK(report.applied == (scale < 1e6f));
          CHECK(meter.report().applied == report.applied);
          CHECK(meter.report().tensors.size() == (norm == Norm::none ? 8 : 10));
          for (const TensorMeter& m : meter.report().tensors) {
            const std::string what = std::string(kernels.name) + " " + m.tensor + " scale " + std::to_string(scale);
            const std::string layer = m.tensor.substr(m.tensor.find("layers."), 8);
            const Parameter& weight = parameter(model, layer + ".weight");
            if (m.tensor.starts_with("gradient")) {
              CHECK(static_cast<std::size_t>(m.elements) == weight.elements());
              continue;
            }
            const bool before = m.tensor.ends_with("pre_activation");
            const StoredSignal& s = before ? first_signal(model, layer + ".output") : signal(model, m.tensor);
            const std::size_t columns = weight.strips.out;
            check(wrong, what, m, stored_counts(s.dtype, s.data, s.ld, 37, columns), 37 * columns);
          }
        }
        CHECK(bits[0] == bits[1]);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("meter: an update below half a unit of bf16 changes no working weight, a large one changes all") {
  const auto executor = make_executor(1, "serial");
  const KernelTable& kernels = *isas().front().table;
  GemmContext context(kernels, *executor);
  for (double lr : {1e-30, 1.0}) {
    Network model({.widths = {30, 40, 5}, .dtype = Dtype::bf16, .max_rows = 32});
    model.initialise(1, kernels);
    const auto loss = make_loss(LossKind::mse, 1.0);
    const auto optimizer = make_optimizer({}, TrainStep::tensor_sizes(model));
    GradScaler scaler({.dynamic = false, .initial = 1});
    Clock clock;
    TrainStep step(context, model, *loss, *optimizer, scaler, clock, {});
    StepMeter meter(model);
    const Examples examples(32, 30, 5);
    set_input(model, examples);
    step.run(32, examples.targets(), lr, &meter);
    REQUIRE(meter.report().updates.size() == 2);
    const UpdateMeter& last = meter.report().updates[1];
    CHECK(last.tensor == "layers.1.weight");
    CHECK(last.weights == 200);
    CHECK(last.unchanged == (lr < 1 ? 200 : 0));
  }
}

TEST_CASE("meter: a run reads it when it was asked to, and trains the same") {
  const TempDir dir;
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {20};
  options.steps = 25;
  options.precision = Dtype::fp16;
  options.threads = 1;
  std::int64_t memory = 0;
  TrainObserver observer;
  observer.on_plan = [&](const RunPlan& plan) {
    for (const MemoryPart& part : plan.memory) memory += std::string(part.what) == "meters" ? part.bytes : 0;
  };
  const TrainResult plain = train("builtin:spirals", options, observer);
  CHECK(plain.meter.step == 0);
  CHECK(memory == 0);
  options.meter_every = 10;
  options.metrics = dir / "m.jsonl";
  std::vector<std::int64_t> steps;
  observer.on_meter = [&](const MeterReport& report) { steps.push_back(report.step); };
  const TrainResult metered = train("builtin:spirals", options, observer);
  CHECK(steps == std::vector<std::int64_t>{1, 11, 21});
  CHECK(metered.meter.step == 21);
  CHECK(memory >= 64 * 20 * 4);  // the outputs before rounding, if nothing else
  CHECK(metered.weights_digest == plain.weights_digest);
  const std::string log = read_bytes(options.metrics);
  CHECK(log.find("{\"event\":\"meter\",\"step\":11,") != std::string::npos);
}
