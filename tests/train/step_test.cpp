#include <doctest/doctest.h>

#include "halfstep/error.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"
#include "support/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

Examples good() { return Examples(33, 30, 4); }
Examples with_value(float bad) {
  Examples e = good();
  e.x[12 * 30 + 7] = bad;
  return e;
}

TEST_CASE("step: a bad input changes nothing at all, in every precision alike") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      for (float bad : {kInf, -kInf, kNan}) {
        Setting setting;
        setting.dtype = dtype;
        setting.norm = bad > 0 ? Norm::none : bad < 0 ? Norm::layer : Norm::batch;
        setting.dropout = bad < 0 ? 0.5 : 0;
        setting.scaler = {.dynamic = true, .initial = 1024};
        Bench bench(kernels, setting);
        REQUIRE(bench.run(good()).applied);
        const auto before = bench.state();
        const StepReport report = bench.run(with_value(bad));
        INFO("dtype ", std::string(name(dtype)), " ISA ", std::string(kernels.name), " bad ", bad);
        CHECK_FALSE(report.applied);
        CHECK(report.incident.cause == StepCause::data);
        CHECK(report.loss_scale == 1024);
        CHECK(bench.step.tensors_of(report.incident).front() == "input");
        CHECK(bench.scaler.scale() == 1024);  // no scale could have helped
        CHECK(bench.optimizer->steps() == 1);
        CHECK(bench.state() == before);
      }
    }
  });
}

// lightning#15501: without a scale, nobody looked whether the gradients were finite.
TEST_CASE("step: a non-finite gradient is skipped without a loss scale too") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      Setting setting;
      setting.dtype = dtype;
      setting.scaler = {.dynamic = false, .initial = 1};
      Bench bench(kernels, setting);
      const auto before = bench.state();
      CHECK_FALSE(bench.run(with_value(kNan)).applied);
      CHECK(bench.state() == before);
    }
  });
}

TEST_CASE("step: the cause is where the first bad value was made") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    auto incident = [&](float scale, auto spoil, Norm norm = Norm::none) {
      Setting setting;
      setting.norm = norm;
      setting.dtype = Dtype::fp16;
      setting.scaler = {.dynamic = false, .initial = static_cast<double>(scale)};
      Bench bench(kernels, setting);
      spoil(bench.model);
      bench.model.pack_all(kernels);
      const StepReport report = bench.run(good());
      CHECK_FALSE(report.applied);
      return bench.step.tensors_of(report.incident).front();
    };
    CHECK(incident(1, [](Network& m) { parameter(m, "layers.1.weight").master[5] = 70000; }) == "layers.1.weight");
    CHECK(incident(1, [](Network& m) { parameter(m, "layers.1.bias").master[3] = kNan; }) == "layers.1.bias");
    CHECK(incident(1, [](Network& m) { parameter(m, "layers.0.bias").master[2] = 65520; }) == "layers.0.output");
    CHECK(incident(0x1p40f, [](Network&) {}) == "layers.2.d");
    for (const auto& [name, norm] :
         {std::pair("layers.0.gamma", Norm::rms), {"layers.1.beta", Norm::layer}, {"layers.0.beta", Norm::batch}}) {
      CHECK(incident(
                1, [name = name](Network& m) { parameter(m, name).master[3] = kInf; }, norm) == name);
    }
    // Normalised it would be harmless, but not as it lies in memory.
    CHECK(incident(
              1, [](Network& m) { parameter(m, "layers.0.bias").master[2] = 65520; }, Norm::layer) ==
          "layers.0.output");
  });
}

TEST_CASE("step: running statistics that are not finite are no model") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Setting setting;
    setting.norm = Norm::batch;
    Bench bench(kernels, setting);
    const float& mean = parameter(bench.model, "layers.1.running_mean").master[3];
    const float before = mean;
    CHECK(bench.run(good()).applied);
    CHECK(mean != before);
    CHECK(bench.step.check_weights().cause == StepCause::none);
    parameter(bench.model, "layers.1.running_var").master[3] = kInf;
    CHECK(bench.step.tensors_of(bench.step.check_weights()).front() == "layers.1.running_var");
  });
}

// With widths of their own the layers that can be skipped are.
void check_repair(const KernelTable& kernels, Norm norm, double dropout, const std::vector<std::size_t>& widths = {}) {
  Setting setting;
  setting.residual = !widths.empty();
  if (setting.residual) setting.widths = widths;
  setting.dtype = Dtype::fp16;
  setting.norm = norm;
  setting.dropout = dropout;
  setting.scaler = {
      .initial = 0x1p30f, .growth_interval = std::numeric_limits<std::int64_t>::max(), .maximum = 0x1p30f};
  setting.headroom = Headroom();
  Bench repaired(kernels, setting);
  const StepReport report = repaired.run(good());
  CHECK(report.applied);
  CHECK(report.reruns >= 2);
  CHECK(report.incident.cause == StepCause::scale);
  CHECK(repaired.scaler.scale() > report.loss_scale);  // and moved up to what the batch allows
  setting.headroom.reset();
  setting.scaler = {.dynamic = false, .initial = static_cast<double>(report.loss_scale)};
  Bench still(kernels, setting);
  CHECK(still.run(good()).applied);
  CHECK(repaired.state() == still.state());
  CHECK(repaired.optimizer->steps() == 1);
  const auto before = repaired.state();
  CHECK_FALSE(repaired.run(with_value(kNan)).applied);  // no scale can help
  CHECK(repaired.state() == before);
}

TEST_CASE("step: headroom repairs an overflow within the step, with the bits of a run at the scale it found") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    check_repair(kernels, Norm::none, 0);
    check_repair(kernels, Norm::layer, 0.25);  // every pass of a step sees the same masks
    check_repair(kernels, Norm::none, 0.5);
    check_repair(kernels, Norm::batch, 0.25);  // and its batch counts once
    check_repair(kernels, Norm::none, 0, {30, 30, 30, 4});
  });
}

// The moments are not to be seen from outside, but every later step depends on them.
TEST_CASE("step: a run with a skipped step continues as if it had not been there") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (OptimizerKind kind :
         {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::lion, OptimizerKind::radam}) {
      Setting setting;
      setting.optimizer.kind = kind;
      if (kind == OptimizerKind::adam) setting.norm = Norm::batch;
      Bench a(kernels, setting), b(kernels, setting);
      for (int i = 0; i < 3; ++i) {
        a.run(good());
        b.run(good());
        CHECK_FALSE(b.run(with_value(kInf)).applied);
      }
      CHECK(a.state() == b.state());
      CHECK(a.optimizer->steps() == b.optimizer->steps());
    }
  });
}

TEST_CASE("step: fp16 with an enormous scale skips until the scale fits, then learns") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Setting setting;
    setting.dtype = Dtype::fp16;
    setting.scaler = {.dynamic = true, .initial = 0x1p30f, .maximum = 0x1p30f};
    Bench bench(kernels, setting);
    const auto before = bench.state();
    const StepReport first = bench.run(good());
    CHECK_FALSE(first.applied);
    CHECK(first.incident.cause == StepCause::scale);
    CHECK(std::isfinite(first.loss));
    CHECK(bench.state() == before);
    CHECK(bench.optimizer->steps() == 0);
    int skipped = 1;
    while (skipped < 40 && !bench.run(good()).applied) ++skipped;
    CHECK(skipped < 30);
    CHECK(bench.optimizer->steps() == 1);
    CHECK(bench.scaler.scale() == std::ldexp(0x1p30f, -skipped));
    CHECK(bench.state() != before);
  });
}

TEST_CASE("step: the loss falls in every precision") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
        Setting setting;
        setting.dtype = dtype;
        setting.optimizer.kind = kind;
        Bench bench(kernels, setting);
        const double lr = kind == OptimizerKind::sgd ? 0.1 : 0.01;
        const double first = bench.run(Examples(97, 30, 4), lr).loss;
        double last = first;
        for (int i = 1; i < 30; ++i) {
          const StepReport report = bench.run(Examples(97, 30, 4), lr);
          CHECK(report.applied);
          last = report.loss;
        }
        CHECK_MESSAGE(last < 0.5 * first, std::string(kernels.name), " ", std::string(name(dtype)), ": ", first, " to ",
                      last);
      }
    }
  });
}

std::unique_ptr<Executor> executor_or_none(int threads, const char* back_end) {
  try {
    return make_executor(threads, back_end);
  } catch (const Error&) {
    return nullptr;  // this build has no such back end
  }
}

TEST_CASE("step: same master bits with any number of threads, any back end, on every ISA") {
  const ParallelLimit limit(8);
  struct Case {
    Dtype dtype;
    Norm norm;
    double dropout;
    bool residual = false;
  };
  for (const auto& [dtype, norm, dropout, residual] : {Case{Dtype::fp32, Norm::none, 0},
                                                       {Dtype::bf16, Norm::none, 0},
                                                       {Dtype::fp16, Norm::none, 0},
                                                       {Dtype::fp32, Norm::rms, 0.1},
                                                       {Dtype::bf16, Norm::layer, 0.1},
                                                       {Dtype::fp16, Norm::layer, 0},
                                                       {Dtype::bf16, Norm::batch, 0.1},
                                                       {Dtype::fp16, Norm::batch, 0, true},
                                                       {Dtype::bf16, Norm::none, 0, true},
                                                       {Dtype::fp32, Norm::layer, 0.1, true}}) {
    std::vector<std::uint32_t> portable, native;
    for_each_runnable_isa(
        [&, dtype = dtype, norm = norm, dropout = dropout, residual = residual](const KernelTable& kernels) {
          std::vector<std::uint32_t>& expected = kernels.gemm[index_of(dtype)].native ? native : portable;
          for (const char* back_end : {"serial", "threads", "tbb"}) {
            for (int threads : {1, 2, 3, 5, 8}) {
              if (std::string(back_end) == "serial" && threads > 1) break;
              auto executor = executor_or_none(threads, back_end);
              if (!executor) continue;
              Setting setting;
              setting.dtype = dtype;
              setting.norm = norm;
              setting.dropout = dropout;
              setting.residual = residual;
              if (residual) setting.widths = {30, 30, 64, 64, 4};
              setting.clip = {.norm = 0.5, .value = 0.05};
              Bench bench(kernels, setting, std::move(executor));
              for (std::size_t rows : {434u, 49u, 7u}) bench.run(Examples(rows, 30, 4));
              const auto got = master_bits(bench.model);
              if (expected.empty()) expected = got;
              CHECK_MESSAGE(got == expected, std::string(kernels.name), " ", std::string(name(dtype)), " ",
                            std::string(back_end), " threads ", threads);
            }
          }
        });
  }
}

// Plain SGD with lr 1: the change of each weight is the gradient that was applied.
std::vector<double> applied_gradient(const KernelTable& kernels, Dtype dtype, float scale, ClipOptions clip,
                                     double* norm) {
  Setting setting;
  setting.dtype = dtype;
  setting.norm = Norm::layer;  // gamma and beta are part of it all
  setting.clip = clip;
  setting.scaler.initial = scale;
  setting.optimizer = {.kind = OptimizerKind::sgd, .momentum = 0, .weight_decay = 0};
  Bench bench(kernels, setting);
  const auto before = bench.model.tensors();
  *norm = bench.run(good(), 1.0).grad_norm;
  const auto after = bench.model.tensors();
  std::vector<double> change;
  for (std::size_t t = 0; t < before.size(); ++t) {
    for (std::size_t i = 0; i < before[t].values.size(); ++i) {
      change.push_back(static_cast<double>(before[t].values[i]) - static_cast<double>(after[t].values[i]));
    }
  }
  return change;
}

double norm_of(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x * x;
  return std::sqrt(sum);
}

TEST_CASE("step: clipping by norm, by value and by both acts on the unscaled gradient") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (float scale : {1.0f, 1024.0f}) {
        const std::string what =
            std::string(kernels.name) + " " + std::string(name(dtype)) + " scale " + std::to_string(scale);
        double norm = 0, clipped_norm = 0;
        const std::vector<double> plain = applied_gradient(kernels, dtype, scale, {}, &norm);
        if (!(std::fabs(norm_of(plain) - norm) <= 1e-4 * norm))
          wrong.add(what, " norm ", norm, " not ", norm_of(plain));
        double largest = 0;
        for (double v : plain) largest = std::max(largest, std::fabs(v));
        const double limit = largest / 4, bound = norm / 3;
        struct {
          ClipOptions clip;
          double reported;
        } cases[] = {{{.norm = bound}, norm},
                     {{.norm = 2 * norm}, norm},
                     {{.value = limit}, norm},
                     {{.norm = bound, .value = limit}, 0}};
        for (auto& c : cases) {
          std::vector<double> expected = plain;
          for (double& v : expected) v = c.clip.value > 0 ? std::clamp(v, -c.clip.value, c.clip.value) : v;
          if (c.reported == 0) c.reported = norm_of(expected);  // by value first, then the norm of what is left
          const double factor = c.clip.norm > 0 ? std::min(1.0, c.clip.norm / norm_of(expected)) : 1;
          const std::vector<double> got = applied_gradient(kernels, dtype, scale, c.clip, &clipped_norm);
          if (!(std::fabs(clipped_norm - c.reported) <= 1e-4 * norm))
            wrong.add(what, " reports ", clipped_norm, " not ", c.reported);
          for (std::size_t i = 0; i < got.size(); ++i) {
            if (!(std::fabs(got[i] - factor * expected[i]) <= 1e-5 * largest + 1e-7)) {
              wrong.add(what, " clip ", c.clip.norm, ",", c.clip.value, " at ", i, ": ", got[i], " not ",
                        factor * expected[i]);
            }
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("step: an overflow is not hidden by clipping") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (ClipOptions clip : {ClipOptions{.norm = 1}, ClipOptions{.value = 1}, ClipOptions{.norm = 1, .value = 1}}) {
      for (float bad : {kInf, kNan}) {
        Setting setting;
        setting.clip = clip;
        Bench bench(kernels, setting);
        const auto before = bench.state();
        const StepReport report = bench.run(with_value(bad));
        CHECK_FALSE(report.applied);
        CHECK(report.incident.cause == StepCause::data);
        CHECK(bench.state() == before);
      }
    }
  });
}

// The scale that made the gradient must be the one that is taken out again, also on the step that grows it.
TEST_CASE("step: growing the scale does not change the gradient") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Setting growing, still;
    growing.dtype = still.dtype = Dtype::fp32;
    growing.scaler = {.dynamic = true, .initial = 256, .growth_interval = 1};
    still.scaler = {.dynamic = false, .initial = 1};
    Bench a(kernels, growing), b(kernels, still);
    for (int i = 0; i < 6; ++i) {
      a.run(good());
      b.run(good());
    }
    CHECK(a.scaler.scale() == 256 * 64);
    std::size_t far = 0;
    const auto x = master_bits(a.model), y = master_bits(b.model);
    for (std::size_t i = 0; i < x.size(); ++i) far += std::fabs(float_of(x[i]) - float_of(y[i])) > 1e-5f;
    CHECK(far == 0);
  });
}

TEST_CASE("step: a watch hears every stage in order, and changes no bit") {
  struct Notes final : StageWatch {
    std::string text;
    void enter(StepStage stage) override { text += std::string(name(stage)) + " "; }
  };
  const std::string layer = "bias wgrad ";
  const std::string one_step =
      "forward loss " + layer + "dgrad " + layer + "dgrad " + layer + "summarise update ";  // three layers
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Notes notes;
    Bench watched(kernels, {}), alone(kernels, {});
    watched.step.observe(&notes);
    watched.run(good());
    CHECK(notes.text == one_step);
    watched.run(good());
    CHECK(notes.text == one_step + one_step);
    watched.step.observe(nullptr);
    watched.run(good());
    CHECK(notes.text == one_step + one_step);
    for (int i = 0; i < 3; ++i) alone.run(good());
    CHECK(watched.state() == alone.state());
  });
}

}  // namespace
