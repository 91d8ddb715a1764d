#include "train/memory_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "halfstep/error.hpp"
#include "train/step.hpp"

using namespace halfstep;

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
  return memory_parts(run, model, *optimizer, last_good, run.meters ? &meter : nullptr);
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

ErrorParts refusal(const RunShape& run, const MemoryLimit& limit) {
  try {
    check_memory(run, limit);
  } catch (const Error& error) {
    CHECK(error.status() == Status::out_of_memory);
    return error.parts();
  }
  return {};
}

std::uint64_t total(const RunShape& run) {
  std::uint64_t bytes = 0;
  for (const MemoryPart& part : planned_memory(run)) bytes += static_cast<std::uint64_t>(part.bytes);
  return bytes;
}

TEST_CASE("memory plan: the limit itself is accepted, one byte less is not") {
  const RunShape run = shapes().front();
  CHECK(refusal(run, {total(run), "test"}).what.empty());
  CHECK_FALSE(refusal(run, {total(run) - 1, "test"}).what.empty());
}

TEST_CASE("memory plan: a refusal names the largest parts, the limit and a batch that fits") {
  RunShape run = shapes().front();
  run.model.widths = {100, 1000, 1000, 10};
  run.model.max_rows = 1000000;
  run.threads = 1;
  const MemoryLimit limit = {std::uint64_t{1} << 30, "the size of the test"};
  const ErrorParts parts = refusal(run, limit);
  CHECK(parts.where.starts_with("most of it: "));
  CHECK(parts.where.find("activations 7.9") != std::string::npos);
  CHECK(parts.why == "there are 1 GiB (the size of the test)");
  REQUIRE(parts.hint.starts_with("--batch "));
  run.model.max_rows = std::stoul(parts.hint.substr(8));
  CHECK(run.model.max_rows >= 16384);
  CHECK_NOTHROW(check_memory(run, limit));
}

TEST_CASE("memory plan: where no batch fits the model is too large") {
  RunShape run = shapes().front();
  run.model.widths = {100, 1000000, 1000, 10};
  CHECK(refusal(run, {std::uint64_t{1} << 30, "test"}).hint.starts_with("a smaller --hidden"));
}

TEST_CASE("memory plan: sizes that 64 bits cannot count are refused, and sums of large ones do not wrap") {
  RunShape run = shapes().front();
  run.model.widths.assign(257, std::size_t{1} << 20);
  run.model.max_rows = std::size_t{1} << 32;
  CHECK(refusal(run, {std::uint64_t{1} << 62, "test"}).where.find("TiB") != std::string::npos);
  run.model.widths = {10, std::size_t{1} << 40, 10};
  CHECK_THROWS_AS(check_memory(run, {std::uint64_t{1} << 62, "test"}), Error);
}

}  // namespace
