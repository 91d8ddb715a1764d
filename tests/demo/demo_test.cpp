// The numbers of the three demonstrations. Expected values follow from the formats alone: fp16 has steps of 2^-24 below
// 2^-14, of 2^-11 from 1/2 to 1, ends at 65504, and turns 65520 into infinity.
#include "halfstep/demo.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "halfstep/error.hpp"
#include "kernels/table.hpp"
#include "support/isa_loop.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double value(const Demo& demo, std::string_view table, std::string_view row, std::string_view column) {
  for (const DemoTable& t : demo.tables) {
    for (const DemoRow& r : t.rows) {
      REQUIRE(r.values.size() == t.columns.size());
      for (std::size_t c = 0; c < t.columns.size(); ++c) {
        if (t.title == table && r.label == row && t.columns[c] == column) return r.values[c];
      }
    }
  }
  FAIL("no such cell: ", std::string(table), ", ", std::string(row), ", ", std::string(column));
  return 0;
}

TEST_CASE("demo: the three by name, and no other") {
  for (const std::string_view name : demo_names()) CHECK(run_demo(name).name == name);
  CHECK(demo_names().size() == 3);
  CHECK_THROWS_AS(run_demo("undertow"), Error);
}

TEST_CASE("demo: an update of 1e-5 by gradients of 1e-5") {
  test::for_each_runnable_isa([](const KernelTable& kernels) {
    const Demo demo = run_demo("underflow", kernels.name);
    CHECK(value(demo, "What is stored", "gradient 1e-5", "fp32") == 1e-5f);
    CHECK(value(demo, "What is stored", "gradient 1e-5", "fp16") == 168 * 0x1p-24);
    CHECK(value(demo, "What is stored", "rate 1e-5 x gradient 1e-5", "fp32") == 1e-5f * 1e-5f);
    CHECK(value(demo, "What is stored", "rate 1e-5 x gradient 1e-5", "fp16") == 0);
    CHECK(value(demo, "What is stored", "rate 1e-5 x gradient 1e-5", "bf16") > 0);
    const char* table = "What becomes of a weight";
    CHECK(value(demo, table, "1e-5, one update of 1e-10", "fp32") == doctest::Approx(0.99999e-5).epsilon(1e-7));
    CHECK(value(demo, table, "1e-5, one update of 1e-10", "fp16") == 168 * 0x1p-24);
    CHECK(value(demo, table, "1, one update of 1e-5", "fp32") == 1 - 168 * 0x1p-24);  // 1e-5 in steps of 2^-24
    CHECK(value(demo, table, "1, one update of 1e-5", "fp16") == 1);
    CHECK(value(demo, table, "1, 1000 updates of 1e-5", "fp32") == doctest::Approx(0.99).epsilon(3e-5));
    CHECK(value(demo, table, "1, 1000 updates of 1e-5", "fp16") == 1);
    CHECK(value(demo, table, "1, 1000 updates of 1e-5", "bf16") == 1);
    CHECK(std::fabs(value(demo, table, "1, 1000 updates of 1e-5", "fp16 + master") - 0.99) <= 3e-4);
  });
}

TEST_CASE("demo: a tiny loss scaled by 1024") {
  test::for_each_runnable_isa([](const KernelTable& kernels) {
    const Demo demo = run_demo("scaling", kernels.name);
    const double loss = value(demo, "The loss", "mean squared error", "loss");
    CHECK(loss == doctest::Approx((1e-6 + 1e-10 + 1e-12) / 6).epsilon(1e-4));
    CHECK(value(demo, "The loss", "mean squared error", "times 1024") == 1024 * loss);
    const double errors[] = {1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9};
    for (int i = 0; i < 6; ++i) {
      CAPTURE(i);
      const std::string row = "d" + std::to_string(i);
      auto cell = [&](const char* column) { return value(demo, "Its gradients", row, column); };
      const double exact = errors[i] / 3;
      CHECK(cell("fp32") == doctest::Approx(exact).epsilon(1e-6));
      // To the nearest multiple of 2^-24 where fp16 is subnormal.
      if (i > 0) CHECK(cell("fp16") == std::nearbyint(exact * 0x1p24) * 0x1p-24);
      if (i > 2) CHECK(cell("fp16 x 1024") == std::nearbyint(1024 * exact * 0x1p24) * 0x1p-24);
      CHECK(cell("unscaled") == cell("fp16 x 1024") / 1024);
      CHECK(cell("error scaled") <= cell("error"));
      CHECK(cell("error scaled") < 0.15);
      CHECK(cell("error") == doctest::Approx(std::fabs(cell("fp16") - cell("fp32")) / cell("fp32")));
    }
    CHECK(value(demo, "Its gradients", "d4", "fp16") == 0);
    CHECK(value(demo, "Its gradients", "d5", "fp16") == 0);
  });
}

TEST_CASE("demo: a loss of 1e10") {
  test::for_each_runnable_isa([](const KernelTable& kernels) {
    const Demo demo = run_demo("overflow", kernels.name);
    CHECK(value(demo, "The loss", "mean squared error", "loss") == doctest::Approx(1e10).epsilon(1e-8));
    const char* clip = "Its gradients, clipped to 1";
    CHECK(value(demo, clip, "d0", "fp32") == 1e5);
    CHECK(value(demo, clip, "d0", "fp16") == kInf);
    CHECK(value(demo, clip, "d0", "by value") == 1);
    CHECK(std::isnan(value(demo, clip, "d0", "by norm")));
    CHECK(value(demo, clip, "d1", "fp16") == 5);
    CHECK(value(demo, clip, "d1", "by value") == 1);
    CHECK(value(demo, clip, "d1", "by norm") == 0);
    CHECK(value(demo, clip, "d1", "fp32 by norm") == doctest::Approx(5e-5).epsilon(1e-6));
    const char* step = "What a training step does";
    double scale = 8;
    for (int attempt = 1; attempt <= 4; ++attempt, scale /= 2) {
      const std::string row = "attempt " + std::to_string(attempt);
      CHECK(value(demo, step, row, "scale") == scale);
      CHECK(value(demo, step, row, "largest d") == kInf);
      CHECK(value(demo, step, row, "multiplier") == 0);
    }
    CHECK(value(demo, step, "attempt 5", "scale") == 0.5);
    CHECK(value(demo, step, "attempt 5", "largest d") == 49984);  // 50000 to fp16's steps of 32
    CHECK(value(demo, step, "attempt 5", "norm") == doctest::Approx(99968).epsilon(1e-6));
    CHECK(value(demo, step, "attempt 5", "multiplier") == doctest::Approx(2 / 99968.0).epsilon(1e-6));
    for (const char* row : {"d0", "d1", "d2", "d3"}) {
      const double wanted = value(demo, "What it applies", row, "fp32 by norm");
      CHECK(value(demo, "What it applies", row, "fp16, rescaled") == doctest::Approx(wanted).epsilon(1e-3));
    }
  });
}

}  // namespace
