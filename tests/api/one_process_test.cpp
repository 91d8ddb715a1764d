// Several jobs in one process, each in a thread of its own or with a pass that they share: the bits are those of each
// alone.
#include <doctest/doctest.h>

#include <atomic>
#include <bit>
#include <string>
#include <thread>
#include <vector>

#include "halfstep/gradients.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

constexpr int kRounds = 6;

// Calls each in a thread of its own, as near to the same time as can be.
template <class... F>
void at_the_same_time(F... f) {
  std::atomic<int> waiting = sizeof...(f);
  std::vector<std::thread> threads;
  (threads.emplace_back([&waiting, f] {
    --waiting;
    while (waiting > 0) std::this_thread::yield();
    f();
  }),
   ...);
  for (std::thread& thread : threads) thread.join();
}

// Weights of three tensors, updated from gradients that follow from the step: large enough to be shared among threads.
struct Weights {
  std::vector<std::vector<float>> masters;
  std::vector<std::vector<std::uint16_t>> working, gradients;  // bf16
  std::vector<double> norms;

  explicit Weights(float seed) {
    for (const std::size_t size : {200000u, 17u, 70001u}) {
      masters.emplace_back(size);
      gradients.emplace_back(size);
      working.emplace_back(size);
      for (std::size_t i = 0; i < size; ++i) masters.back()[i] = seed * static_cast<float>(i % 97) - 1;
    }
  }
  std::vector<WeightTensor> weights() {
    std::vector<WeightTensor> list;
    for (std::size_t i = 0; i < masters.size(); ++i) {
      list.push_back({masters[i].data(), working[i].data(), masters[i].size(), Dtype::bf16});
    }
    return list;
  }
  void step(GradientPass& pass, FusedUpdate& update, int round) {
    std::vector<GradientTensor> list;
    for (std::size_t i = 0; i < masters.size(); ++i) {
      for (std::size_t j = 0; j < gradients[i].size(); ++j) {
        const float gradient = 64 * (masters[i][j] - static_cast<float>((j + static_cast<std::size_t>(round)) % 5));
        gradients[i][j] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(gradient) >> 16);
      }
      list.push_back({"t", gradients[i].data(), gradients[i].size(), Dtype::bf16});
    }
    CheckedGradients checked = pass.check(list, 64, {.norm = 1});
    norms.push_back(checked.norm());
    update.apply(std::move(checked), 0.01);
  }
  bool operator==(const Weights& other) const {
    return masters == other.masters && working == other.working && norms == other.norms;
  }
};

void run(GradientPass& pass, Weights& weights, OptimizerKind kind) {
  FusedUpdate update(pass, {.kind = kind}, weights.weights());
  for (int round = 0; round < kRounds; ++round) weights.step(pass, update, round);
}

Weights run_alone(float seed, OptimizerKind kind) {
  GradientPass pass(1);
  Weights weights(seed);
  run(pass, weights, kind);
  return weights;
}

Options options_of(const test::TempDir& dir, const char* name, std::uint64_t seed, Dtype precision) {
  Options options;
  options.out = dir / name;
  options.hidden = {200, 60};
  options.batch = 100;
  options.steps = 15;
  options.threads = 2;
  options.seed = seed;
  options.precision = precision;
  return options;
}

}  // namespace

TEST_CASE("two passes with an update each, in two threads: the same bits as alone") {
  const Weights adamw = run_alone(0.01f, OptimizerKind::adamw), lion = run_alone(0.02f, OptimizerKind::lion);
  for (const int threads : {1, 2, 3}) {
    Weights a(0.01f), b(0.02f);
    at_the_same_time(
        [&] {
          GradientPass pass(threads);
          run(pass, a, OptimizerKind::adamw);
        },
        [&] {
          GradientPass pass(threads);
          run(pass, b, OptimizerKind::lion);
        });
    CAPTURE(threads);
    CHECK((a == adamw));
    CHECK((b == lion));
  }
}

TEST_CASE("one pass shared by the updates of three threads: the same bits as alone") {
  const Weights adamw = run_alone(0.01f, OptimizerKind::adamw), lion = run_alone(0.02f, OptimizerKind::lion);
  const Weights sgd = run_alone(0.03f, OptimizerKind::sgd);
  for (const int threads : {1, 2, 3}) {
    GradientPass pass(threads);
    Weights a(0.01f), b(0.02f), c(0.03f);
    at_the_same_time([&] { run(pass, a, OptimizerKind::adamw); }, [&] { run(pass, b, OptimizerKind::lion); },
                     [&] { run(pass, c, OptimizerKind::sgd); });
    CAPTURE(threads);
    CHECK((a == adamw));
    CHECK((b == lion));
    CHECK((c == sgd));
  }
}

TEST_CASE("two runs of training in two threads: the same bits as alone") {
  const test::TempDir dir;
  const Options a = options_of(dir, "a", 1, Dtype::bf16), b = options_of(dir, "b", 2, Dtype::fp16);
  const std::string alone_a = train("builtin:spirals", a, {}).weights_digest;
  const std::string alone_b = train("builtin:spirals", b, {}).weights_digest;
  for (int round = 0; round < 3; ++round) {
    std::string together_a, together_b;
    at_the_same_time([&] { together_a = train("builtin:spirals", a, {}).weights_digest; },
                     [&] { together_b = train("builtin:spirals", b, {}).weights_digest; });
    CHECK(together_a == alone_a);
    CHECK(together_b == alone_b);
    CHECK(inspect(a.out).weights_digest == alone_a);
  }
}

}  // namespace halfstep::internal
