#include "amp/gradient_pass.hpp"

#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <limits>

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

struct Gradients {
  std::vector<std::vector<double>> blocks;
  GradientSummary summary(float scale, ClipOptions clip = {}) const {
    std::vector<GradientSquares> tensors;
    for (const std::vector<double>& b : blocks) tensors.push_back({b});
    return summarise_gradients(tensors, scale, 1 / scale, clip);
  }
};

TEST_CASE("gradients: the norm is that of the unscaled gradients, and the multiplier undoes the scale") {
  const Gradients g{{{9.0 * 1024 * 1024, 0.0}, {16.0 * 1024 * 1024}}};
  const GradientSummary s = g.summary(1024);
  CHECK(s.finite);
  CHECK(s.norm == 5);
  CHECK(s.multiplier == 1.0f / 1024);
  CHECK(s.limit == std::numeric_limits<float>::infinity());
  CHECK(s.first_bad == -1);
  CHECK(Gradients{}.summary(1024).norm == 0);
  CHECK(Gradients{}.summary(1024).finite);
}

TEST_CASE("gradients: clipping by norm is min(1, max_norm / (norm + 1e-6))") {
  const Gradients g{{{9.0 * 1024 * 1024}, {16.0 * 1024 * 1024}}};
  CHECK(g.summary(1024, {.norm = 5.1}).multiplier == 1.0f / 1024);
  CHECK(g.summary(1024, {.norm = 1}).multiplier == doctest::Approx(1.0 / 1024 / (5 + 1e-6)).epsilon(1e-7).scale(0));
  CHECK(g.summary(1024, {.norm = 1}).norm == 5);  // before clipping
  const GradientSummary zero = Gradients{{{0.0}}}.summary(1024, {.norm = 1});
  CHECK(zero.finite);
  CHECK(zero.multiplier == 1.0f / 1024);
}

// torch.clamp(max_norm / (norm + 1e-6), max=1.0) of PyTorch 2.13 for a fp32 tensor `norm`, where the quotient rounded
// once would be two units of the last place away.
TEST_CASE("gradients: the clip coefficient is PyTorch's") {
  struct Golden {
    float norm, max_norm, coefficient;
  };
  for (const Golden& g : {Golden{0x1.15e324p-2f, 0x1.ce2824p-5f, 0x1.a9c118p-3f},
                          {0x1.3a12f2p+4f, 0x1.023ee2p-9f, 0x1.a4fd38p-14f},
                          {0x1.04e726p+4f, 0x1.ef8f04p-1f, 0x1.e63ef8p-5f},
                          {0x1.f8fad8p+4f, 0x1.ecdd6cp-3f, 0x1.f3b772p-8f},
                          {0x1.5bfe90p+0f, 0x1.4b3314p-5f, 0x1.e74a24p-6f},
                          {0x1.6ebdd0p+4f, 0x1.593d6ep-6f, 0x1.e1fb6ep-11f},
                          {0x1.072a42p-2f, 0x1.04184ap-7f, 0x1.fa0658p-6f}}) {
    CHECK(clip_coefficient(static_cast<double>(g.max_norm), static_cast<double>(g.norm)) == g.coefficient);
  }
  CHECK(clip_coefficient(0, 5) == 1);
  CHECK(clip_coefficient(1, 0) == 1);
  CHECK(clip_coefficient(1e3, 1e38) == doctest::Approx(1e-35).epsilon(1e-6).scale(0));  // its reciprocal is subnormal
  CHECK(clip_coefficient(1, 1e39) == static_cast<float>(1e-39));
}

TEST_CASE("gradients: clipping by value is a limit in the scaled domain") {
  CHECK(Gradients{{{1.0}}}.summary(1024, {.value = 0.5}).limit == 512);
  CHECK(Gradients{{{1.0}}}.summary(1024, {.value = 0.5}).multiplier == 1.0f / 1024);
}

TEST_CASE("gradients: the first tensor that is not finite is named, and nothing of it becomes a factor") {
  for (double bad : {kInfinity, kNotANumber}) {
    for (std::size_t tensor = 0; tensor < 3; ++tensor) {
      for (std::size_t block = 0; block < 4; ++block) {
        Gradients g{{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}}};
        g.blocks[tensor][block] = bad;
        g.blocks[2][3] = bad;
        for (ClipOptions clip : {ClipOptions{}, ClipOptions{.norm = 1}, ClipOptions{.norm = 1, .value = 1}}) {
          const GradientSummary s = g.summary(8, clip);
          CHECK_FALSE(s.finite);
          CHECK(s.first_bad == static_cast<std::ptrdiff_t>(tensor));
          CHECK(s.multiplier == 0.125f);
        }
      }
    }
  }
}

// pytorch#96755: found finite under the scale, infinite after it was divided out.
TEST_CASE("gradients: one that leaves fp32 when a scale below 1 is divided out is not finite") {
  const Gradients g{{{1e38 * 1e38}}};
  CHECK(g.summary(0.5f).finite);
  CHECK_FALSE(g.summary(0.125f).finite);
  CHECK(g.summary(0.125f).first_bad == -1);
  CHECK_FALSE(g.summary(0.125f, {.norm = 1}).finite);
  CHECK_FALSE(Gradients{{{1.0}}}.summary(0.0f).finite);
  CHECK_FALSE(Gradients{{{0.0}}}.summary(0.0f).finite);
}

TEST_CASE("gradients: large finite gradients are no false alarm") {
  const GradientSummary s = Gradients{{{1e40 * 4096}, {1e44}}}.summary(65536, {.norm = 1});
  CHECK(s.finite);
  CHECK(std::isfinite(s.norm));
  CHECK(s.multiplier > 0);
  CHECK(std::isfinite(s.multiplier));
}

// 100 gradients of 3e38 and a limit of 1: a factor of 3e-40 is zero where subnormals are, and nothing would move.
TEST_CASE("gradients: what no factor of fp32 can clip stops the step") {
  const Gradients g{{{1.0}, {100 * 9e76}}};
  CHECK(g.summary(1).finite);
  CHECK_FALSE(g.summary(1, {.norm = 1}).finite);
  CHECK(g.summary(1, {.norm = 1}).multiplier == 1);
  CHECK(g.summary(1, {.norm = 100}).finite);  // 3e-38
  CHECK(g.summary(1, {.norm = 100}).multiplier >= std::numeric_limits<float>::min());
}

TEST_CASE("gradients: one rule decides") {
  CHECK(decide(true, 5, 0.5f, 1).apply);
  CHECK(decide(true, 5, 0.5f, 1).multiplier == 0.5f * clip_coefficient(1, 5));
  CHECK(decide(true, 0, 1, 1).multiplier == 1);
  for (double norm : {kInfinity, kNotANumber}) CHECK_FALSE(decide(true, norm, 1, 0).apply);
  CHECK_FALSE(decide(false, 1, 1, 0).apply);
  CHECK(decide(true, 1e39, 1, 0).apply);        // elements are finite, and stay so
  CHECK_FALSE(decide(true, 1e39, 2, 0).apply);  // a scale of 1/2 is divided out
}

}  // namespace
