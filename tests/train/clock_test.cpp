// What a step counts, and what follows from it.
#include "train/clock.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/isa_loop.hpp"
#include "support/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

Examples batch(std::size_t rows) { return Examples(rows, 30, 4); }

Setting with_dropout() {
  Setting setting;
  setting.dropout = 0.5;
  return setting;
}

TEST_CASE("clock: attempted and applied steps, and their masks") {
  Bench bench(select_isa(), {});
  const Examples good = batch(100);
  Examples bad = good;
  bad.x[7] = std::numeric_limits<float>::infinity();
  bench.run(good);
  CHECK(bench.clock == Clock{.attempted = 1, .applied = 1, .masks = 1});
  CHECK_FALSE(bench.run(bad).applied);
  CHECK(bench.clock == Clock{.attempted = 2, .applied = 1, .masks = 2});
  const auto load = [&](std::size_t, std::size_t rows, Activations&) { set_input(bench.model, batch(rows)); };
  bench.step.run({good.rows, good.targets(), 48, load}, 0.01);
  CHECK(bench.clock == Clock{.attempted = 3, .applied = 2, .masks = 3});
}

TEST_CASE("clock: dropout's masks follow from those of the steps before, and from nothing else") {
  const Examples examples = batch(60);
  const auto state_from = [&](const Clock& clock) {
    Bench bench(select_isa(), with_dropout());
    bench.clock = clock;
    bench.run(examples);
    return bench.state();
  };
  const auto expected = state_from({.masks = 9});
  CHECK(state_from({.epoch = 3, .row = 12, .attempted = 7, .applied = 5, .masks = 9}) == expected);
  CHECK(state_from({.masks = 8}) != expected);
}

}  // namespace
