// Training with 16-bit moments and without fp32 masters, from step to whole run.
#include <doctest/doctest.h>

#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/model.hpp"
#include "train/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

TEST_CASE("mlp: without masters the packed weights say what the masters said, rounded") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    Mismatches wrong;
    for (Dtype dtype : {Dtype::bf16, Dtype::fp16}) {
      const NetworkShape shape{.widths = {30, 70, 5}, .dtype = dtype, .max_rows = 4};
      NetworkShape without = shape;
      without.master = false;
      Network with_master(shape), model(without);
      with_master.initialise(1, kernels);
      model.initialise(1, kernels);
      CHECK(model.memory().total() < with_master.memory().total());
      const auto expected = with_master.tensors(), got = model.tensors();
      for (std::size_t t = 0; t < got.size(); ++t) {
        for (std::size_t i = 0; i < got[t].values.size(); ++i) {
          const std::uint32_t word = rounded(dtype, expected[t].values[i]);
          if (!same_bits(got[t].values[i], get(dtype, &word, 0))) wrong.add(kernels.name, " ", got[t].name, " at ", i);
        }
      }
      // Through fp32 and back.
      Network copy(without);
      copy.set_tensors(got);
      copy.pack_all(kernels);
      for (std::size_t l = 0; l < 2; ++l) {
        Parameter& weight = *matrices(model)[l];
        const auto& a = weight.packed_forward;
        const auto& b = matrices(copy)[l]->packed_forward;
        CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
        alignas(64) float block[kLanes * kBlockColumns];
        const std::size_t columns = weight.strips.block_columns(0);
        const float* values = weight.matrix_block(kernels, 0, 0, block);
        CHECK(values == block);
        for (std::size_t o = 0; o < std::min<std::size_t>(16, shape.widths[l + 1]); ++o) {
          for (std::size_t i = 0; i < std::min(columns, shape.widths[l]); ++i) {
            if (values[o * columns + i] != got[2 * l].values[o * shape.widths[l] + i])
              wrong.add("block at ", o, " ", i);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("step: a skipped step changes nothing without masters either") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (MasterKind master : {MasterKind::kahan, MasterKind::stochastic}) {
      for (Dtype dtype : {Dtype::bf16, Dtype::fp16}) {
        auto train = [&](bool with_bad) {
          const auto executor = make_executor(1, "serial");
          GemmContext context(kernels, *executor);
          Network model({.widths = {30, 40, 4}, .dtype = dtype, .max_rows = 32, .master = false});
          model.initialise(1, kernels);
          const auto loss = make_loss(LossKind::cross_entropy, 1.0);
          const auto optimizer =
              make_optimizer({.moments = Dtype::bf16, .master = master}, TrainStep::tensor_sizes(model));
          GradScaler scaler({.dynamic = false, .initial = 256});
          Clock clock;
          TrainStep step(context, model, *loss, *optimizer, scaler, clock, {});
          const Examples good(32, 30, 4);
          Examples bad = good;
          bad.x[100] = kNan;
          for (int i = 0; i < 3; ++i) {
            set_input(model, good);
            CHECK(step.run(32, good.targets(), 0.01).applied);
            if (!with_bad) continue;
            set_input(model, bad);
            CHECK_FALSE(step.run(32, bad.targets(), 0.01).applied);
          }
          CHECK(optimizer->steps() == 3);
          return master_bits(model);
        };
        CHECK(train(true) == train(false));
      }
    }
  });
}

struct Mode {
  const char* optimizer;
  const char* moments;
  const char* master;
};

TEST_CASE("training: 16-bit moments and runs without masters learn the digits as fp32 does") {
  const TempDir dir;
  const bool learns = test_effort() == 1;  // else some steps only, for the bits
  for (const Mode& mode :
       {Mode{"adamw", "bf16", "fp32"}, Mode{"adamw", "fp32", "kahan"}, Mode{"adamw", "bf16", "kahan"},
        Mode{"adamw", "bf16", "stochastic"}, Mode{"sgd", "bf16", "stochastic"}, Mode{"lion", "fp32", "fp32"},
        Mode{"lion", "bf16", "kahan"}}) {
    CAPTURE(std::string(mode.optimizer) + " " + mode.moments + " " + mode.master);
    std::string digest;
    for (const char* threads : {"1", "2"}) {
      Options options;
      set_option(options, "optimizer", mode.optimizer);
      set_option(options, "moments", mode.moments);
      set_option(options, "master", mode.master);
      set_option(options, "lr",
                 std::string(mode.optimizer) == "sgd"    ? "0.05"
                 : std::string(mode.optimizer) == "lion" ? "3e-4"
                                                         : "1e-3");
      if (learns) set_option(options, "epochs", "6");
      if (!learns) set_option(options, "steps", "4");
      set_option(options, "threads", threads);
      options.out = dir / "m.safetensors";
      const TrainResult result = train(learns ? "builtin:digits" : "builtin:spirals", options, {});
      if (learns) CHECK(result.eval.accuracy > 0.9);
      CHECK(result.steps.skipped == 0);
      if (digest.empty()) digest = result.weights_digest;
      CHECK(result.weights_digest == digest);
    }
  }
}

}  // namespace
