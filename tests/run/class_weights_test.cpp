#include "run/class_weights.hpp"

#include <doctest/doctest.h>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "kernels/table.hpp"
#include "support/isa_loop.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

const std::vector<std::string> kClasses = {"cat", "a=b", "dog"};
const std::vector<std::int32_t> kLabels = {0, 0, 0, 2, 2, 0};

std::string refusal(const std::string& text) {
  try {
    class_weights(text, kClasses, kLabels);
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_argument);
    return error.parts().why;
  }
  return {};
}

TEST_CASE("class weights: none, by name, balanced") {
  using Weights = std::vector<double>;
  CHECK(class_weights("", kClasses, kLabels).empty());
  CHECK(class_weights("dog=2.5", kClasses, kLabels) == Weights{1, 1, 2.5});
  CHECK(class_weights("a=b=3,cat=0.5", kClasses, kLabels) == Weights{0.5, 3, 1});
  // Six rows, three classes: two rows each would weigh 1. Of the second there is none, which must not weigh infinity.
  CHECK(class_weights("balanced", kClasses, kLabels) == Weights{0.5, 2, 1});
}

TEST_CASE("class weights: what is refused") {
  CHECK(refusal("dog").find("balanced") != std::string::npos);
  CHECK(refusal("dog=0").find("> 0") != std::string::npos);
  CHECK(refusal("dog=-1").find("> 0") != std::string::npos);
  CHECK(refusal("dog=1e39") != "");
  CHECK(refusal("dog=nan") != "");
  CHECK(refusal("dog=1,dog=2").find("twice") != std::string::npos);
  CHECK(refusal("dig=2").find("did you mean \"dog\"?") != std::string::npos);
}

TEST_CASE("runs with label smoothing and class weights: same bits everywhere, and evaluate knows them") {
  const TempDir dir;
  Options options;
  options.out = dir / "m.safetensors";
  options.quality = "plain";  // no row is held out
  options.steps = 30;
  options.label_smoothing = 0.1;
  options.class_weights = "blue=3,red=0.5";
  options.threads = 1;
  const TrainResult result = train("builtin:spirals", options, {});
  CHECK(evaluate(options.out, "builtin:spirals", {}).metrics.loss == doctest::Approx(result.eval.loss).epsilon(1e-12));
  for_each_runnable_isa([&](const KernelTable& kernels) {
    if (kernels.gemm[static_cast<std::size_t>(Dtype::bf16)].native) return;
    Options other = options;
    other.isa = kernels.name;
    other.threads = 3;
    CHECK(train("builtin:spirals", other, {}).weights_digest == result.weights_digest);
  });
  for (const char* name : {"label-smoothing", "class-weights"}) {
    Options other = options;
    set_option(other, name, get_option({}, name));
    CHECK(train("builtin:spirals", other, {}).weights_digest != result.weights_digest);
    CHECK_THROWS_AS(train("builtin:regression", other, {}), Error);
  }
  options.class_weights = "no such class=2";
  CHECK_THROWS_AS(train("builtin:spirals", options, {}), Error);
}

}  // namespace
