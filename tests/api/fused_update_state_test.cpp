// The state of an update that an embedder keeps.
#include <doctest/doctest.h>

#include "halfstep/error.hpp"
#include "halfstep/gradients.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

struct Weights {
  std::vector<float> master = std::vector<float>(300, 1.0f);
  std::vector<std::uint16_t> alone = std::vector<std::uint16_t>(77, 0x3f80);  // bf16 without a master

  std::vector<WeightTensor> tensors() {
    return {{master.data(), nullptr, master.size(), Dtype::bf16}, {nullptr, alone.data(), alone.size(), Dtype::bf16}};
  }
  bool operator==(const Weights&) const = default;
};

void run(FusedUpdate& update, GradientPass& pass, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    const AlignedBuffer<float> random = random_floats(377, static_cast<std::uint64_t>(i) + 1);
    const std::vector<GradientTensor> gradients = {{"a", random.data(), 300}, {"b", random.data() + 300, 77}};
    CHECK(update.apply(pass.check(gradients, 4), 0.01));
  }
}

TEST_CASE("fused update: loaded state goes on with the same bits") {
  GradientPass pass(2);
  for (const OptimizerKind kind :
       {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::lion, OptimizerKind::radam}) {
    for (const MasterKind master : {MasterKind::kahan, MasterKind::stochastic}) {
      const OptimizerOptions options = {.kind = kind, .moments = Dtype::bf16, .master = master, .seed = 5};
      Weights straight;
      FusedUpdate update(pass, options, straight.tensors());
      run(update, pass, 0, 20);
      const std::vector<std::byte> state = update.state();
      Weights copy = straight;
      FusedUpdate resumed(pass, options, copy.tensors());
      resumed.set_state(state);
      CHECK(resumed.steps() == 20);
      run(update, pass, 20, 100);
      run(resumed, pass, 20, 100);
      CHECK(copy == straight);
      CHECK(resumed.state() == update.state());
      CHECK(resumed.state() != state);
    }
  }
}

TEST_CASE("fused update: the state of another update is refused, and nothing changes") {
  GradientPass pass(1);
  Weights weights;
  FusedUpdate adam(pass, {.master = MasterKind::kahan}, weights.tensors());
  FusedUpdate lion(pass, {.kind = OptimizerKind::lion, .master = MasterKind::kahan}, weights.tensors());
  run(lion, pass, 0, 3);
  const auto before = adam.state();
  CHECK_THROWS_AS(adam.set_state(lion.state()), Error);
  CHECK_THROWS_AS(adam.set_state({}), Error);
  CHECK(adam.state() == before);
}

}  // namespace
