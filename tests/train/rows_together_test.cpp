// Many rows at once: how a step is cut, and that no bit follows from it.
#include "train/rows_together.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/isa_loop.hpp"
#include "support/step.hpp"
#include "train/trainer.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace rows_together_test {

constexpr std::size_t kInputs = 21, kOutputs = 3;

Examples some_of(const Examples& all, std::size_t first, std::size_t rows) {
  Examples part(rows, all.inputs, all.outputs);
  std::copy_n(all.x.begin() + static_cast<std::ptrdiff_t>(first * all.inputs), rows * all.inputs, part.x.begin());
  return part;
}

struct After {
  std::vector<std::uint32_t> state;
  double loss = 0, grad_norm = 0;
  bool operator==(const After&) const = default;
};

// Two steps, in parts of so many rows, on a network that holds no more.
After after_steps(const KernelTable& kernels, Setting setting, const Examples& all, std::size_t part_rows,
                  int threads) {
  setting.max_rows = std::min(part_rows, all.rows);
  Bench bench(kernels, setting, make_executor(threads, threads == 1 ? "serial" : "threads"));
  auto load = [&](std::size_t first, std::size_t rows, Activations&) {
    set_input(bench.model, some_of(all, first, rows));
  };
  StepReport report;
  for (int i = 0; i < 2; ++i) {
    report = bench.step.run({all.rows, all.targets(), part_rows, load, bench.model.least_rows()}, 0.01);
    CHECK(report.applied);
  }
  return {bench.state(), report.loss, report.grad_norm};
}

// A little of everything that works on rows.
std::vector<Setting> settings() {
  std::vector<Setting> out;
  for (const Norm norm : {Norm::none, Norm::layer, Norm::rms}) {
    for (const bool rest : {false, true}) {
      Setting s;
      s.widths = {kInputs, 40, 40, kOutputs};
      s.norm = norm;
      s.residual = rest;
      s.dropout = rest == (norm == Norm::none) ? 0.25 : 0;
      s.activation = rest ? Activation::silu : Activation::relu;
      s.loss = rest ? LossKind::mse : LossKind::cross_entropy;
      s.clip = {.norm = 0.1, .value = rest ? 0.01 : 0};
      out.push_back(s);
    }
  }
  Setting gated = out.front();
  gated.layer = "gated";
  gated.residual = true;
  gated.dropout = 0.25;
  out.push_back(gated);
  return out;
}

TEST_CASE("rows together: parts of whole grains give the bits of one batch") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (const std::size_t rows : {331u, 385u}) {  // in 96s the last part is odd, is a single row
      const Examples all(rows, kInputs, kOutputs);
      for (Setting setting : settings()) {
        for (const Dtype dtype : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
          setting.dtype = dtype;
          const After whole = after_steps(kernels, setting, all, rows, 1);
          for (const std::size_t part : {kRowsGrain, 2 * kRowsGrain}) {
            INFO("ISA ", std::string(kernels.name), " ", std::string(name(dtype)), " rows ", rows, " in parts of ",
                 part, " norm ", std::string(name(setting.norm)), " ", setting.layer, " dropout ", setting.dropout);
            CHECK(after_steps(kernels, setting, all, part, 1) == whole);
          }
        }
      }
    }
  });
}

TEST_CASE("rows together: the same bits with any number of threads") {
  const KernelTable& kernels = select_isa();
  const Examples all(437, kInputs, kOutputs);
  for (Setting setting : settings()) {
    setting.dtype = setting.norm == Norm::none ? Dtype::bf16 : setting.norm == Norm::rms ? Dtype::fp16 : Dtype::fp32;
    setting.widths = {kInputs, 136, 136, kOutputs};  // large enough that products are shared
    const After whole = after_steps(kernels, setting, all, all.rows, 1);
    for (const int threads : {1, 2, 3, 5, 8}) {
      INFO("threads ", threads, " norm ", std::string(name(setting.norm)), " ", setting.layer);
      CHECK(after_steps(kernels, setting, all, kRowsGrain, threads) == whole);
    }
  }
}

// With instructions of its own arithmetic a CPU adds several products at once: their turns must not meet a border.
TEST_CASE("rows together: the turns of all products over rows divide the grain") {
  CHECK(kRowsGrain % kSumRows == 0);
  for (const IsaState& isa : isas()) {
    if (!isa.runnable) continue;
    for (const GemmFamily& family : isa.table->gemm) {
      CHECK(kRowsGrain % family.k_step == 0);
      if (family.by_fma != nullptr) CHECK(kRowsGrain % family.by_fma->k_step == 0);
    }
  }
}

TEST_CASE("rows together: few rows, and those of BatchNorm, stay together; many are cut in like shares") {
  NetworkShape shape;
  shape.widths = {64, 256, 256, 1};
  for (const std::size_t rows : {1u, 2u, 95u, 96u, 97u, 128u, 256u}) CHECK(rows_together(shape, rows, 1) == rows);
  for (const int threads : {1, 2, 3, 8}) {
    const std::size_t most = rows_together(shape, std::size_t{1} << 20, threads);
    CHECK(rows_together(shape, most, threads) == most);
    CHECK(most <= static_cast<std::size_t>(threads) * 1000);
    for (std::size_t rows = 8001; rows < 100000; rows += 777) {
      const std::size_t share = rows_together(shape, rows, threads), parts = (rows + share - 1) / share;
      CHECK(share % kRowsGrain == 0);
      CHECK(share <= most + kRowsGrain);
      CHECK(parts * share < rows + parts * kRowsGrain);
    }
  }
  shape.norm = Norm::batch;
  CHECK(rows_together(shape, 65536, 2) == 65536);
}

data::Examples set_of(std::size_t rows) {
  const Examples random(rows, kInputs, kOutputs);
  data::Examples set;
  set.rows = rows;
  set.features = kInputs;
  set.x.assign(random.x.begin(), random.x.end());
  set.labels = random.labels;
  return set;
}

TEST_CASE("rows together: so many batches in a step are one large batch, with dropout and short steps too") {
  const data::Examples set = set_of(4001);
  const auto executor = make_executor(2, "threads");
  const auto bits_of = [&](std::size_t batch, std::size_t accumulate) {
    const TrainerConfig config = {.model = {.widths = {kInputs, 24, kOutputs}, .dropout = 0.2},
                                  .scaler = {.dynamic = false, .initial = 64},
                                  .rows = set.rows,
                                  .batch = batch,
                                  .accumulate = accumulate,
                                  .schedule = {.lr = 0.01, .steps = 4},
                                  .seed = 5};
    StepTrainer trainer(select_isa(), *executor, config, &set);
    std::vector<double> losses;
    while (!trainer.done()) losses.push_back(trainer.step().loss);
    return std::pair(master_bits(trainer.model()), losses);
  };
  const auto whole = bits_of(3000, 1);
  CHECK(bits_of(1000, 3) == whole);
  CHECK(bits_of(250, 12) == whole);
  CHECK(bits_of(3000, 2) != whole);
}

TEST_CASE("rows together: a caller's step of any size gives the bits of one batch") {
  const auto executor = make_executor(1, "serial");
  const Examples all(1501, kInputs, kOutputs);
  const auto bits_of = [&](std::size_t batch) {
    const TrainerConfig config = {.model = {.widths = {kInputs, 24, kOutputs}, .dropout = 0.2},
                                  .scaler = {.dynamic = false, .initial = 64},
                                  .batch = batch,
                                  .schedule = {.lr = 0.01, .steps = 2}};
    StepTrainer trainer(select_isa(), *executor, config);
    for (int i = 0; i < 2; ++i) trainer.step({all.x, all.labels, {}});
    return master_bits(trainer.model());
  };
  const auto whole = bits_of(1501);
  for (const std::size_t batch : {1u, 64u, 100u, 1000u}) CHECK(bits_of(batch) == whole);
}

TEST_CASE("rows together: a batch of 65536 takes the memory of one of a thousand or so") {
  const auto activations = [](std::size_t rows, Norm norm) {
    const TrainerConfig config = {
        .model = {.widths = {64, 256, 256, 256, 1}, .norm = norm, .loss = LossKind::mse}, .rows = rows, .batch = rows};
    std::int64_t bytes = 0;
    for (const MemoryPart& part : planned_memory(run_shape(config, 0, 2))) {
      if (std::string_view(part.what).find("activations") != std::string_view::npos) bytes += part.bytes;
    }
    return bytes;
  };
  CHECK(activations(65536, Norm::layer) < activations(2048, Norm::batch));
  CHECK(activations(65536, Norm::batch) > 20 * activations(65536, Norm::none));
}

// The loss scale follows from the cause: with rows that overflow in one part and a bad input in another too.
TEST_CASE("rows together: what is said of a step that is not finite is what one batch shows") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (const bool bad_input : {false, true}) {
      Examples all(331, kInputs, kOutputs);
      if (bad_input) all.x[300 * kInputs + 2] = kInf;
      const auto said = [&](std::size_t part_rows) {
        Setting setting = settings().front();
        setting.dtype = Dtype::fp16;
        setting.scaler = {.dynamic = false, .initial = 0x1p40};
        setting.max_rows = std::min(part_rows, all.rows);
        Bench bench(kernels, setting);
        auto load = [&](std::size_t first, std::size_t rows, Activations&) {
          set_input(bench.model, some_of(all, first, rows));
        };
        const StepReport report = bench.step.run({all.rows, all.targets(), part_rows, load}, 0.01);
        CHECK(report.incident.cause == (bad_input ? StepCause::data : StepCause::scale));
        CHECK(report.incident.part == (bad_input ? 300 / part_rows : 0));
        return bench.step.tensors_of(report.incident);
      };
      CHECK(said(kRowsGrain) == said(all.rows));
    }
  });
}

TEST_CASE("rows together: meters count all rows of a step") {
  const Examples all(331, kInputs, kOutputs);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const auto read = [&](std::size_t part_rows) {
      Setting setting = settings().back();
      setting.max_rows = std::min(part_rows, all.rows);
      Bench bench(kernels, setting);
      StepMeter meter(bench.model);
      auto load = [&](std::size_t first, std::size_t rows, Activations&) {
        set_input(bench.model, some_of(all, first, rows));
      };
      bench.step.run({all.rows, all.targets(), part_rows, load}, 0.01, &meter);
      return meter.report();
    };
    const MeterReport whole = read(331), parts = read(kRowsGrain);
    REQUIRE(whole.tensors.size() == parts.tensors.size());
    for (std::size_t i = 0; i < whole.tensors.size(); ++i) {
      const TensorMeter &a = whole.tensors[i], &b = parts.tensors[i];
      CHECK(a.tensor == b.tensor);
      CHECK(a.elements == b.elements);
      CHECK(a.flushed == b.flushed);
      CHECK(a.exponents == b.exponents);
    }
  });
}

}  // namespace rows_together_test
