// Predictors, and models that are published while their trainer goes on.
#include "halfstep/predictor.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <csignal>
#include <limits>
#include <thread>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/trainer.hpp"
#include "io/temp_dir.hpp"
#include "kernels/table.hpp"
#include "support/failing_new.hpp"
#include "support/isa_loop.hpp"

using namespace halfstep;
using namespace halfstep::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kIn = 30;

std::vector<float> rows_of(std::size_t count) {
  std::vector<float> x(count * kIn);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i * i % 977));
  return x;
}

Dataset classes_of(std::size_t count) {
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < count; ++i) labels.push_back(static_cast<std::int32_t>(i * 7 % 3));
  return Dataset::classes(kIn, rows_of(count), labels);
}

Options options_of(const char* isa = "auto") {
  Options options;
  options.isa = isa;
  options.threads = 2;
  options.batch = 16;
  options.epochs = 2;
  return options;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::bit_cast<int>(x) == std::bit_cast<int>(y); });
}

const ModelSpec kSpecs[] = {
    {.widths = {kIn, 64, 32, 3}},
    {.widths = {kIn, 40, 3}, .activation = Activation::gelu, .norm = Norm::batch, .precision = Dtype::fp16},
    {.widths = {kIn, 40, 40, 3}, .activation = Activation::silu, .norm = Norm::layer, .residual = true},
    {.widths = {kIn, 24, 3}, .layer = "gated", .activation = Activation::silu, .precision = Dtype::fp32},
    {.widths = {kIn, 3}},
};

TEST_CASE("predictor: the bits of the trainer, in parts of any size, on any number of threads and every ISA") {
  const TempDir dir;
  const std::vector<float> x = rows_of(70);
  for_each_runnable_isa([&](const internal::KernelTable& kernels) {
    for (const ModelSpec& spec : kSpecs) {
      CAPTURE(spec.layer);
      Options options = options_of(kernels.name);
      options.math = Math::native;  // or it has fewer ISAs
      Trainer trainer(spec, classes_of(100), options);
      trainer.train();
      const std::vector<float> expected = trainer.predict(x);
      const std::string path = dir / "model.safetensors";
      trainer.save(path);
      for (const Model& model : {Model(path, options), trainer.snapshot()}) {
        CHECK(same_bits(model.predict(x), expected));
        for (const std::size_t rows : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{512}}) {
          for (const int threads : {1, 3}) {
            Predictor predictor(model, {.max_rows = rows, .threads = threads});
            std::vector<float> out(70 * predictor.outputs(), -1.0f);
            predictor.predict(x, out);
            CHECK(same_bits(out, expected));
          }
        }
      }
    }
  });
}

TEST_CASE("predictor: values in the units of the target, and NaN for rows that are not finite") {
  std::vector<float> values;
  for (int i = 0; i < 50; ++i) values.push_back(static_cast<float>(i));
  Trainer trainer({.widths = {kIn, 16, 1}, .loss = LossKind::mse}, Dataset::values(kIn, rows_of(50), values),
                  options_of());
  trainer.train();
  Predictor predictor(trainer.snapshot(), {.max_rows = 4});
  std::vector<float> x = rows_of(3), out(3);
  x[kIn] = std::numeric_limits<float>::infinity();
  predictor.predict(x, out);
  const std::vector<float> expected = trainer.predict(x);
  CHECK(out[0] == expected[0]);
  CHECK(std::isnan(out[1]));
  CHECK(out[2] == expected[2]);
}

TEST_CASE("predictor: several values for each row, from a file too, which files of rows do not go with") {
  const TempDir dir;
  const std::string path = dir / "two.safetensors";
  Trainer trainer({.widths = {kIn, 16, 2}, .loss = LossKind::mse}, options_of());
  const std::vector<float> x = rows_of(20);
  std::vector<float> values;
  for (int i = 0; i < 40; ++i) values.push_back(static_cast<float>(i % 2));
  for (int i = 0; i < 300; ++i) trainer.step({.x = x, .labels = {}, .values = values});
  const std::vector<float> expected = trainer.predict(x);
  REQUIRE(expected.size() == 40);
  CHECK(std::fabs(expected[0]) < 0.3f);
  CHECK(std::fabs(expected[1] - 1) < 0.3f);
  trainer.save(path);
  CHECK(same_bits(Model(path).predict(x), expected));
  try {
    (void)predict(path, "builtin:digits", {});
    FAIL("two values were taken for one");
  } catch (const Error& error) {
    CHECK(error.status() == Status::unsupported);
  }
}

TEST_CASE("predictor: takes no memory after it is made, and shares the weights") {
  Trainer trainer({.widths = {kIn, 512, 512, 3}}, classes_of(64), options_of());
  const Model model = trainer.snapshot();
  Predictor predictor(model, {.max_rows = 8, .threads = 2});
  const std::vector<float> x = rows_of(30);
  std::vector<float> out(30 * 3);
  const long before = allocations().taken;
  for (std::size_t rows = 0; rows <= 30; ++rows) {
    predictor.predict(std::span(x).first(rows * kIn), std::span(out).first(rows * 3));
  }
  const long taken = allocations().taken - before;
  CHECK(taken == 0);
}

TEST_CASE("predictor: what does not fit is refused, and the result is as it was") {
  Trainer trainer({.widths = {kIn, 8, 3}}, classes_of(20), options_of());
  const Model model = trainer.snapshot();
  CHECK_THROWS_AS(Predictor(model, {.max_rows = 0}), Error);
  CHECK_THROWS_AS(Predictor(model, {.max_rows = std::size_t{1} << 40}), Error);
  CHECK_THROWS_AS(Predictor(model, {.threads = -1}), Error);
  Predictor predictor(model);
  CHECK(predictor.inputs() == kIn);
  CHECK(predictor.outputs() == 3);
  const std::vector<float> x = rows_of(2);
  std::vector<float> out(6, 7.0f);
  CHECK_THROWS_AS(predictor.predict(std::span(x).first(31), out), Error);
  CHECK_THROWS_AS(predictor.predict(x, std::span(out).first(5)), Error);
  CHECK(out == std::vector<float>(6, 7.0f));
}

TEST_CASE("predictor: many at once on one model") {
  Trainer trainer({.widths = {kIn, 64, 3}}, classes_of(40), options_of());
  const Model model = trainer.snapshot();
  const std::vector<float> x = rows_of(5), expected = model.predict(x);
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      Predictor predictor(model, {.max_rows = 1 + t});
      std::vector<float> out(15);
      for (int i = 0; i < 200; ++i) {
        predictor.predict(x, out);
        right[t] += same_bits(out, expected) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(4, 200));
}

TEST_CASE("predictor: goes on with the weights that were published while they are trained further") {
  Trainer trainer({.widths = {kIn, 32, 3}}, classes_of(64), options_of());
  CHECK_THROWS_AS((void)trainer.published(), Error);
  trainer.publish();
  const std::vector<float> x = rows_of(3);
  std::vector<std::vector<float>> seen = {trainer.predict(x)};  // by the published weights, in their order
  std::atomic<bool> over = false;
  int unknown = 0, calls = 0;
  std::vector<std::vector<float>> outputs;
  std::thread other([&] {
    while (!over.load() || calls == 0) {
      outputs.push_back(trainer.published().predict(x));
      ++calls;
    }
  });
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 3; ++j) trainer.step();
    trainer.publish();
    seen.push_back(trainer.predict(x));
  }
  over.store(true);
  other.join();
  for (const auto& out : outputs) {
    unknown += std::none_of(seen.begin(), seen.end(), [&](const auto& s) { return same_bits(s, out); }) ? 1 : 0;
  }
  CHECK(unknown == 0);
  CHECK_FALSE(same_bits(seen.front(), seen.back()));
  CHECK(same_bits(trainer.published().predict(x), seen.back()));
}

TEST_CASE("trainer: a budget of time ends in the middle of an epoch, and steps are those of step()") {
  Trainer a({.widths = {kIn, 32, 3}}, classes_of(64), options_of());
  Trainer b({.widths = {kIn, 32, 3}}, classes_of(64), options_of());
  std::int64_t steps = 0;
  for (int frame = 0; frame < 50; ++frame) {
    const StepsMade made = a.train_for(200us);
    CHECK_FALSE(made.stopped);
    CHECK(made.overrun == std::max(made.elapsed - 200us, std::chrono::nanoseconds(0)));
    steps += made.steps;
  }
  CHECK(steps > 0);
  CHECK(a.counts().attempted == steps);
  for (std::int64_t i = 0; i < steps; ++i) b.step();
  CHECK(a.state() == b.state());
  Trainer without({.widths = {kIn, 32, 3}}, options_of());
  CHECK_THROWS_AS(without.train_for(1ms), Error);
  CHECK_THROWS_AS(without.train(), Error);
}

Trainer* stopped_by_signal = nullptr;

TEST_CASE("trainer: stops for another thread and for a signal handler, and goes on afterwards") {
  Options options = options_of();
  options.epochs = 1000000;
  Trainer trainer({.widths = {kIn, 32, 3}}, classes_of(64), options);
  trainer.request_stop();
  const StepsMade none = trainer.train();
  CHECK(none.stopped);
  CHECK(none.steps == 0);
  std::thread other([&] {
    std::this_thread::sleep_for(20ms);
    trainer.request_stop();
  });
  const StepsMade some = trainer.train();
  other.join();
  CHECK(some.stopped);
  CHECK(trainer.counts().attempted == some.steps);
  stopped_by_signal = &trainer;
  const auto before = std::signal(SIGUSR2, [](int) { stopped_by_signal->request_stop(); });
  std::thread sender([main = pthread_self()] {
    std::this_thread::sleep_for(20ms);
    pthread_kill(main, SIGUSR2);
  });
  const StepsMade more = trainer.train();
  sender.join();
  std::signal(SIGUSR2, before);
  CHECK(more.stopped);
  CHECK(more.steps > 0);
}

TEST_CASE("a forked child is told that it has no threads") {
  Trainer trainer({.widths = {kIn, 32, 3}}, classes_of(64), options_of());
  trainer.step();
  Predictor predictor(trainer.snapshot());
  const std::vector<float> x = rows_of(1);
  std::vector<float> out(3);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int refused = 0;
    const auto expect = [&](auto call) {
      try {
        call();
      } catch (const Error& error) {
        refused += error.status() == Status::state ? 1 : 0;
      }
    };
    expect([&] { trainer.step(); });
    expect([&] { trainer.train_for(1ms); });
    expect([&] { trainer.predict(x); });
    expect([&] { predictor.predict(x, out); });
    _exit(refused);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 4);
}

}  // namespace
