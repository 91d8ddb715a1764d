#include "train/memory_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "train/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

std::vector<RunShape> shapes() {
  std::vector<RunShape> out;
  const RunShape plain = {.model = {.widths = {13, 70, 70, 5}, .max_rows = 33},
                          .optimizer = {},
                          .meters = false,
                          .examples = 12345,
                          .threads = 3};
  for (const Norm norm : {Norm::none, Norm::layer, Norm::rms, Norm::batch}) {
    for (const Dtype dtype : {Dtype::bf16, Dtype::fp32}) {
      for (const bool extras : {false, true}) {
        RunShape run = plain;
        run.model.norm = norm;
        run.model.dtype = dtype;
        run.meters = run.model.residual = extras;
        run.model.dropout = extras ? 0.1 : 0;
        if (extras) run.model.activation = Activation::gelu;
        run.optimizer.master = extras ? MasterKind::kahan : MasterKind::fp32;
        run.model.master = !extras;
        out.push_back(run);
      }
    }
  }
  return out;
}

std::vector<MemoryPart> taken(const RunShape& run) {
  Network model(run.model);
  const auto optimizer = make_optimizer(run.optimizer, TrainStep::tensor_sizes(model));
  model.drop_masters();
  const LastGood last_good(model);
  const StepMeter meter(model);
  const WeightCopy best(model);
  const WeightAverage average(model);
  return memory_parts(
      run, model, *optimizer, last_good,
      {run.keeps_best ? &best : nullptr, run.averages ? &average : nullptr, run.meters ? &meter : nullptr});
}

TEST_CASE("memory plan: what is planned is what is then taken, part by part") {
  for (const RunShape& run : shapes()) {
    const auto same = [](const MemoryPart& a, const MemoryPart& b) { return a.what == b.what && a.bytes == b.bytes; };
    const std::vector<MemoryPart> plan = planned_memory(run), real = taken(run);
    CHECK(plan.size() >= 9);
    CHECK(std::equal(plan.begin(), plan.end(), real.begin(), real.end(), same));
  }
}

TEST_CASE("memory plan: a plan takes no memory, and buffers after it do") {
  RunShape run = shapes().back();
  run.model.widths = {std::size_t{1} << 20, std::size_t{1} << 20, std::size_t{1} << 20, 10};
  run.model.max_rows = std::size_t{1} << 30;
  std::int64_t largest = 0;
  for (const MemoryPart& part : planned_memory(run)) largest = std::max(largest, part.bytes);
  CHECK(largest > std::int64_t{1} << 50);
  CHECK(AlignedBuffer<float>(3).data() != nullptr);
}

TEST_CASE("memory plan: sums of large sizes do not wrap") {
  RunShape run = shapes().front();
  run.model.widths.assign(257, std::size_t{1} << 20);
  run.model.max_rows = std::size_t{1} << 32;
  CHECK(is_countable(run.model));
  CHECK(total_bytes(planned_memory(run)) > std::int64_t{1} << 50);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(total_bytes({{"a", most - 1}, {"b", 5}, {"c", most}}) == most);
  run.model.widths = {10, std::size_t{1} << 40, 10};
  CHECK_FALSE(is_countable(run.model));
}

TEST_CASE("memory plan: the batch that fits is the largest power of two, and there may be none") {
  RunShape run = shapes().front();
  run.model.max_rows = 1000;
  const auto with = [&](std::size_t rows) {
    RunShape smaller = run;
    smaller.model.max_rows = rows;
    return static_cast<std::uint64_t>(total_bytes(planned_memory(smaller)));
  };
  CHECK(batch_that_fits(run, with(1000)) == 512);
  CHECK(batch_that_fits(run, with(64)) == 64);
  CHECK(batch_that_fits(run, with(64) - 1) == 32);
  CHECK(batch_that_fits(run, with(4) - 1) == 0);
}

}  // namespace
