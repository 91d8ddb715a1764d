// Training with muon: what it updates, what skipped steps and the ways of an update leave, and that it learns.
#include <doctest/doctest.h>

#include <cmath>

#include "support/isa_loop.hpp"
#include "support/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace muon_test {
namespace {

Setting with_muon(Dtype dtype = Dtype::bf16, MasterKind master = MasterKind::fp32, Dtype moments = Dtype::fp32) {
  Setting setting;
  setting.dtype = dtype;
  setting.optimizer = {.kind = OptimizerKind::muon, .moments = moments, .master = master, .seed = 3};
  setting.widths = {30, 96, 70, 4};
  return setting;
}

TEST_CASE("muon: hidden matrices take a step of singular values near its rate, all else those of adamw") {
  Setting setting = with_muon(Dtype::fp32);
  const double lr = 0.02, decay = 0.1;
  setting.optimizer.weight_decay = decay;
  Bench muon(select_isa(), setting);
  setting.optimizer.kind = OptimizerKind::adamw;
  Bench adamw(select_isa(), setting);
  const Examples e(64, 30, 4);
  std::vector<std::vector<float>> before;
  for (const Parameter* p : muon.model.parameters()) before.push_back(p->values());
  CHECK(muon.run(e, lr).applied);
  CHECK(adamw.run(e, lr).applied);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Parameter& p = *muon.model.parameters()[i];
    CAPTURE(p.name);
    const std::vector<float> after = p.values();
    if (p.name != "layers.0.weight" && p.name != "layers.1.weight") {
      CHECK(after == adamw.model.parameters()[i]->values());
      continue;
    }
    CHECK(after != adamw.model.parameters()[i]->values());
    double squares = 0;
    for (std::size_t k = 0; k < after.size(); ++k) {
      const double step = static_cast<double>(after[k]) - (1 - lr * decay) * static_cast<double>(before[i][k]);
      squares += step * step;
    }
    // At most as many singular values as the smaller side is long, each of 0.2 sqrt(larger side) lr.
    const auto out = static_cast<double>(p.shape[0]), in = static_cast<double>(p.shape[1]);
    const double whole = 0.2 * lr * std::sqrt(std::max(out, in) * std::min(out, in));
    CHECK(std::sqrt(squares) < 1.3 * whole);
    CHECK(std::sqrt(squares) > 0.2 * whole);
  }
}

// The rule in its own words: momentum mu b + (1 - mu) g, one step ahead. A matrix of one row is its own direction.
TEST_CASE("muon: a row steps along its momentum, which unscale and clip by value come before") {
  const KernelTable& kernels = select_isa();
  const auto executor = make_executor(1);
  GemmContext context(kernels, *executor);
  const WeightLayout layout = {1, 12};
  OptimizerTensor tensor(layout.size());
  tensor.hidden = layout;
  const auto optimizer =
      make_optimizer({.kind = OptimizerKind::muon, .weight_decay = 0.1, .muon_momentum = 0.8}, {tensor});
  CHECK(optimizer->takes_whole(0));
  AlignedBuffer<float> weights(layout.size()), grad(layout.size());
  double w[12] = {}, b[12] = {};
  for (std::size_t i = 0; i < 12; ++i) w[i] = weights[i] = static_cast<float>(i) / 8;
  for (int step = 1; step <= 6; ++step) {
    const double lr = 0.05 / step;
    double ahead[12], norm = 0, moved = 0, along = 0;
    for (std::size_t i = 0; i < 12; ++i) {
      grad[i] = static_cast<float>((static_cast<int>(i) * 7 + step * 5) % 11 - 5);
      const double g = std::clamp(static_cast<double>(grad[i]), -4.0, 4.0) / 16;
      b[i] = 0.8 * b[i] + 0.2 * g;
      ahead[i] = 0.8 * b[i] + 0.2 * g;
      norm += ahead[i] * ahead[i];
    }
    optimizer->begin_step(lr, 1.0f / 16, 4.0f);
    const auto visit = [&](std::size_t, std::size_t, Optimizer::ChangeBlock change) { change(weights.data()); };
    optimizer->apply_matrix(context, 0, grad.data(), visit);
    for (std::size_t i = 0; i < 12; ++i) {
      w[i] *= 1 - lr * 0.1;
      const double step_of_i = w[i] - static_cast<double>(weights[i]);
      moved += step_of_i * step_of_i;
      along += step_of_i * ahead[i] / std::sqrt(norm);
      w[i] = static_cast<double>(weights[i]);
    }
    CHECK(along == doctest::Approx(std::sqrt(moved)).epsilon(1e-4));  // in that direction
    const double rate = lr * 0.2 * std::sqrt(12.0);
    CHECK(std::sqrt(moved) > 0.7 * rate);
    CHECK(std::sqrt(moved) < 1.3 * rate);
  }
}

std::vector<std::uint32_t> trained(const KernelTable& kernels, const Setting& setting, int threads, bool with_bad) {
  Bench bench(kernels, setting, make_executor(threads));
  bench.step.leave_updates(0);
  const Examples good(49, 30, 4);
  Examples bad = good;
  bad.x[7] = kInf;
  for (int i = 0; i < 4; ++i) {
    CHECK(bench.run(good).applied);
    if (with_bad) CHECK_FALSE(bench.run(bad).applied);
  }
  CHECK(bench.optimizer->steps() == 4);
  bench.step.finish_update();
  return bench.state();
}

TEST_CASE("muon: the same bits on every ISA and at any number of threads, with skipped steps or without") {
  for (const Dtype dtype : kEachDtype) {
    for (const MasterKind master : {MasterKind::fp32, MasterKind::kahan, MasterKind::stochastic}) {
      if (dtype == Dtype::fp32 && master != MasterKind::fp32) continue;
      CAPTURE(name(dtype));
      CAPTURE(name(master));
      Setting setting = with_muon(dtype, master, master == MasterKind::fp32 ? Dtype::fp32 : Dtype::bf16);
      setting.clip.norm = 0.1;
      const std::vector<std::uint32_t> want = trained(*isas().front().table, setting, 1, false);
      for_each_runnable_isa([&](const KernelTable& kernels) {
        if (kernels.gemm[index_of(dtype)].native || kernels.gemm[index_of(Dtype::bf16)].native) return;
        for (const int threads : {1, 2, 3, 5, 8}) CHECK(trained(kernels, setting, threads, threads == 2) == want);
      });
    }
  }
}

TEST_CASE("muon: gated layers and layers of other precisions") {
  for (const char* layer : {"dense", "gated"}) {
    Setting setting = with_muon();
    setting.layer = layer;
    CHECK(trained(select_isa(), setting, 1, false) == trained(select_isa(), setting, 3, true));
  }
}

// Watched steps take the whole update too, and a gradient of zero leaves decay alone.
TEST_CASE("muon: a watched step, and a step without a gradient") {
  struct Nothing final : StageWatch {
    void enter(StepStage) override {}
  } watch;
  Bench plain(select_isa(), with_muon()), watched(select_isa(), with_muon());
  watched.step.observe(&watch);
  const Examples e(49, 30, 4);
  for (int i = 0; i < 3; ++i) CHECK(plain.run(e).loss == watched.run(e).loss);
  CHECK(plain.state() == watched.state());

  const KernelTable& kernels = select_isa();
  const auto executor = make_executor(2);
  GemmContext context(kernels, *executor);
  const WeightLayout layout = {40, 70};
  OptimizerTensor tensor(layout.size());
  tensor.hidden = layout;
  const auto optimizer = make_optimizer({.kind = OptimizerKind::muon, .weight_decay = 0.5}, {tensor});
  AlignedBuffer<float> weights = random_floats(layout.size(), 4), grad(layout.size());
  const AlignedBuffer<float> before = random_floats(layout.size(), 4);
  optimizer->begin_step(0.25, 1, kInf);
  optimizer->apply_matrix(context, 0, grad.data(), [&](std::size_t strip, std::size_t block, auto change) {
    change(weights.data() + layout.block_offset(strip, block));
  });
  bool decayed = true;
  for (std::size_t o = 0; o < 40; ++o) {
    for (std::size_t i = 0; i < 70; ++i) {
      const std::size_t at = layout.offset(o, i);
      decayed = decayed && std::fabs(weights[at] - 0.875f * before[at]) < 1e-6f;
    }
  }
  CHECK(decayed);
}

// Each at the rate that suits it best.
TEST_CASE("muon: learns at least as well as adamw") {
  const auto best_loss = [](OptimizerKind kind) {
    double best = 1e9;
    for (const double lr : {0.016, 0.032, 0.064}) {
      Setting setting = with_muon();
      setting.optimizer.kind = kind;
      Bench bench(select_isa(), setting);
      const Examples e(200, 30, 4);
      double loss = 0;
      for (int i = 0; i < 60; ++i) loss = bench.run(e, lr * (1 - i / 60.0)).loss;
      best = std::min(best, loss);
    }
    return best;
  };
  const double adamw = best_loss(OptimizerKind::adamw), muon = best_loss(OptimizerKind::muon);
  CAPTURE(adamw);
  CAPTURE(muon);
  CHECK(muon <= adamw);
}

}  // namespace
}  // namespace muon_test
