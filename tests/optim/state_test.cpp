// 16-bit moments, and 16-bit weights without a master.
#include <doctest/doctest.h>

#include <cmath>

#include "base/fp_env.hpp"
#include "optim/optimizer.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kSize = 2064;  // more than one chunk of scratch, and a tail

float stored(Dtype dtype, float x) {
  const std::uint32_t word = rounded(dtype, x);
  return get(dtype, &word, 0);
}

// Weights that storage can hold, and a run of steps on them in ranges of `range` elements from the back.
struct Run {
  OptimizerOptions options;
  Dtype storage = Dtype::bf16;
  double lr = 0.01;
  int steps = 20;
  std::size_t range = kSize;

  AlignedBuffer<float> weights(const KernelTable& kernels) const {
    const FpEnvGuard guard;
    const auto optimizer = make_optimizer(options, {{kSize, options.master == MasterKind::fp32, storage}});
    AlignedBuffer<float> out = random_floats(kSize, 60);
    for (float& w : out) w = stored(storage, w);
    for (int step = 1; step <= steps; ++step) {
      const AlignedBuffer<float> grad = random_floats(kSize, 100 + static_cast<std::size_t>(step), 8.0f);
      optimizer->begin_step(lr, 0.25f, kInf);
      for (std::size_t first = (kSize - 1) / range * range + range; first > 0;) {
        first -= range;
        const std::size_t n = std::min(range, kSize - first);
        optimizer->apply(kernels, 0, first, n, grad.data() + first, out.data() + first);
      }
    }
    return out;
  }
};

std::vector<Run> variants() {
  std::vector<Run> runs;
  for (OptimizerKind kind :
       {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::lion, OptimizerKind::radam}) {
    for (MasterKind master : {MasterKind::fp32, MasterKind::kahan, MasterKind::stochastic}) {
      for (Dtype moments : {Dtype::fp32, Dtype::bf16}) {
        for (Dtype storage : {Dtype::bf16, Dtype::fp16}) {
          runs.push_back({{.kind = kind, .moments = moments, .master = master, .seed = 5}, storage});
        }
      }
    }
  }
  return runs;
}

TEST_CASE("optim: with every kind of state the same bits on every ISA, however the ranges are cut") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Mismatches wrong;
    for (Run run : variants()) {
      const AlignedBuffer<float> whole = run.weights(scalar);
      run.range = 256;
      const AlignedBuffer<float> parts = run.weights(kernels);
      for (std::size_t i = 0; i < kSize; ++i) {
        if (!same_bits(whole[i], parts[i])) wrong.add(kernels.name, " at ", i, ": ", parts[i], " not ", whole[i]);
        const bool narrow = run.options.master != MasterKind::fp32;
        if (narrow && !same_bits(stored(run.storage, parts[i]), parts[i])) wrong.add("storage cannot hold ", parts[i]);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("optim: 16-bit state stays near fp32 state") {
  const KernelTable& kernels = *isas().back().table;
  const KernelTable& runnable = isas().back().runnable ? kernels : *isas().front().table;
  for (const Run& run : variants()) {
    if (run.options.kind == OptimizerKind::lion) continue;  // one sign that flips is a whole step
    Run plain = run;
    plain.options.master = MasterKind::fp32;
    plain.options.moments = Dtype::fp32;
    const AlignedBuffer<float> expected = plain.weights(runnable), got = run.weights(runnable);
    double error = 0, moved = 0;
    const AlignedBuffer<float> start = random_floats(kSize, 60);
    for (std::size_t i = 0; i < kSize; ++i) {
      error += std::pow(static_cast<double>(got[i] - expected[i]), 2);
      moved += std::pow(static_cast<double>(start[i] - expected[i]), 2);
    }
    CHECK(std::sqrt(error / moved) < 0.15);
  }
}

TEST_CASE("optim: updates far below a bf16 step add up, where rounding to nearest would lose each of them") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (MasterKind master : {MasterKind::kahan, MasterKind::stochastic}) {
      const OptimizerOptions options{.kind = OptimizerKind::sgd, .momentum = 0, .weight_decay = 0, .master = master};
      const auto optimizer = make_optimizer(options, {{1024, false, Dtype::bf16}});
      AlignedBuffer<float> weights(1024), grad(1024);
      for (float& w : weights) w = 1.0f;
      for (float& g : grad) g = -1.0f;
      const double lr = 0x1p-12;  // of a step of 2^-7
      REQUIRE(stored(Dtype::bf16, 1.0f + static_cast<float>(lr)) == 1.0f);
      for (int step = 0; step < 320; ++step) {
        optimizer->begin_step(lr, 1.0f, kInf);
        optimizer->apply(kernels, 0, 0, 1024, grad.data(), weights.data());
      }
      double mean = 0;
      for (float w : weights) mean += static_cast<double>(w) / 1024;
      CHECK(mean == doctest::Approx(1 + 320 * lr).epsilon(1e-3).scale(0));
      if (master == MasterKind::kahan) CHECK(std::fabs(mean - (1 + 320 * lr)) <= 0x1p-8);
    }
  });
}

TEST_CASE("optim: a bf16 second moment decays with beta2 = 0.999") {
  // To nearest, 0.999 v would round back to v for ever.
  REQUIRE(stored(Dtype::bf16, 0.999f * stored(Dtype::bf16, 10.0f)) == 10.0f);
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    double mean[2] = {};
    for (Dtype moments : {Dtype::fp32, Dtype::bf16}) {
      const auto optimizer = make_optimizer({.weight_decay = 0, .moments = moments}, {1024});
      AlignedBuffer<float> weights(1024), grad(1024);
      for (int step = 1; step <= 3000; ++step) {
        for (float& g : grad) g = step == 1 ? 100.0f : 0.01f;
        optimizer->begin_step(1e-3, 1.0f, kInf);
        optimizer->apply(kernels, 0, 0, 1024, grad.data(), weights.data());
      }
      for (float w : weights) mean[moments == Dtype::bf16] += static_cast<double>(w) / 1024;
    }
    CHECK(mean[1] == doctest::Approx(mean[0]).epsilon(0.02).scale(0));
  });
}

TEST_CASE("optim: random rounding follows the seed and the step") {
  const KernelTable& kernels = *isas().front().table;
  Run run{{.master = MasterKind::stochastic, .seed = 1}};
  const AlignedBuffer<float> one = run.weights(kernels);
  run.options.seed = 2;
  const AlignedBuffer<float> two = run.weights(kernels);
  int differ = 0;
  for (std::size_t i = 0; i < kSize; ++i) differ += !same_bits(one[i], two[i]);
  CHECK(differ > static_cast<int>(kSize) / 4);
}

TEST_CASE("optim: memory of 16-bit state") {
  OptimizerOptions options{.moments = Dtype::bf16};
  CHECK(make_optimizer(options, {64, 16})->memory_bytes() == 2 * 80 * 2);
  options.master = MasterKind::kahan;
  CHECK(make_optimizer(options, {{64, false, Dtype::bf16}, 16})->memory_bytes() == 2 * 80 * 2 + 64 * 2);
  options.master = MasterKind::stochastic;
  CHECK(make_optimizer(options, {{64, false, Dtype::bf16}, 16})->memory_bytes() == 2 * 80 * 2);
  options = {.kind = OptimizerKind::lion};
  CHECK(make_optimizer(options, {64, 16})->memory_bytes() == 80 * 4);
}

TEST_CASE("optim: a multiplier for each tensor") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    const auto optimizer = make_optimizer({.kind = OptimizerKind::sgd, .momentum = 0, .weight_decay = 0}, {16, 16});
    AlignedBuffer<float> weights(16), grad(16);
    grad[0] = 8;
    const float multipliers[] = {0.5f, 0.25f};
    optimizer->begin_step(1, 1.0f, kInf, multipliers);
    optimizer->apply(kernels, 0, 0, 16, grad.data(), weights.data());
    CHECK(weights[0] == -4);
    optimizer->apply(kernels, 1, 0, 16, grad.data(), weights.data());
    CHECK(weights[0] == -6);
  });
}

TEST_CASE("optim: a tensor that does not decay stays where it is without a gradient") {
  const KernelTable& kernels = *isas().front().table;
  for (OptimizerKind kind :
       {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::lion, OptimizerKind::radam}) {
    OptimizerOptions options;
    options.kind = kind;
    options.weight_decay = 0.1;
    const auto optimizer = make_optimizer(options, {{16}, {16, true, Dtype::fp32, false}});
    AlignedBuffer<float> grad(16), decaying = random_floats(16, 1), fixed = random_floats(16, 1);
    const AlignedBuffer<float> before = random_floats(16, 1);
    for (int step = 0; step < 3; ++step) {
      optimizer->begin_step(0.1, 1, kInf);
      optimizer->apply(kernels, 0, 0, 16, grad.data(), decaying.data());
      optimizer->apply(kernels, 1, 0, 16, grad.data(), fixed.data());
    }
    for (std::size_t i = 0; i < 16; ++i) {
      CHECK(fixed[i] == before[i]);
      CHECK(std::fabs(decaying[i]) < std::fabs(before[i]));
    }
  }
}

TEST_CASE("optim: a factor of a tensor's rate is that of the rate, decay included") {
  const KernelTable& kernels = *isas().front().table;
  for (OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::lion,
                             OptimizerKind::radam, OptimizerKind::muon}) {
    CAPTURE(name(kind));
    const auto after = [&](double lr, double factor) {
      OptimizerTensor tensor(16);
      tensor.rate = factor;
      const auto optimizer = make_optimizer({.kind = kind, .weight_decay = 0.1}, {tensor});
      AlignedBuffer<float> weights = random_floats(16, 1);
      for (std::size_t step = 0; step < 9; ++step) {
        const AlignedBuffer<float> grad = random_floats(16, 2 + step);
        optimizer->begin_step(lr, 1, kInf);
        optimizer->apply(kernels, 0, 0, 16, grad.data(), weights.data());
      }
      return std::vector<float>(weights.begin(), weights.end());
    };
    CHECK(after(0.0625, 4) == after(0.25, 1));
    CHECK(after(0.0625, 4) != after(0.0625, 1));
  }
}

TEST_CASE("optim: of muon only matrices decay") {
  const KernelTable& kernels = *isas().front().table;
  for (const bool vector : {false, true}) {
    OptimizerTensor tensor(16);
    tensor.vector = vector;
    const auto optimizer = make_optimizer({.kind = OptimizerKind::muon, .weight_decay = 0.1}, {tensor});
    AlignedBuffer<float> weights = random_floats(16, 1), grad(16);
    const AlignedBuffer<float> before = random_floats(16, 1);
    optimizer->begin_step(0.1, 1, kInf);
    optimizer->apply(kernels, 0, 0, 16, grad.data(), weights.data());
    for (std::size_t i = 0; i < 16; ++i) CHECK((weights[i] == before[i]) == vector);
  }
}

}  // namespace
