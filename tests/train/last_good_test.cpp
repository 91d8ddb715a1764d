#include "train/last_good.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "kernels/dispatch.hpp"
#include "support/model.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

bool due_after(LastGood& last_good, std::int64_t steps, double loss) {
  for (std::int64_t i = 1; i < steps; ++i) {
    if (last_good.due(loss)) return false;
  }
  return last_good.due(loss);
}

// The working weights of each layer in both orientations.
std::vector<std::byte> packed(Network& model) {
  std::vector<std::byte> out;
  for (const Parameter* p : matrices(model)) {
    out.insert(out.end(), p->packed_forward.begin(), p->packed_forward.end());
    out.insert(out.end(), p->packed_backward.begin(), p->packed_backward.end());
  }
  return out;
}

TEST_CASE("last good: kept when the loss has fallen, and a NaN neither passes nor poisons what follows") {
  Network model({.widths = {5, 4, 2}, .dtype = Dtype::fp32, .max_rows = 2});
  LastGood last_good(model);
  CHECK_FALSE(due_after(last_good, LastGood::kEvery, 2.0));  // no better than the first
  CHECK(due_after(last_good, LastGood::kEvery, 1.5));
  CHECK_FALSE(due_after(last_good, LastGood::kEvery, 1e9));
  CHECK_FALSE(due_after(last_good, LastGood::kEvery, std::numeric_limits<double>::quiet_NaN()));
  CHECK(due_after(last_good, LastGood::kEvery, 1.0));
}

TEST_CASE("last good: gives back the bits that it was given, with and without masters") {
  for (bool master : {true, false}) {
    Network model({.widths = {5, 40, 2}, .norm = Norm::batch, .dtype = Dtype::bf16, .max_rows = 2, .master = master});
    model.initialise(1, select_isa());
    LastGood last_good(model);
    CHECK_FALSE(last_good.any());
    const auto before = master_bits(model);
    const auto copies = packed(model);
    last_good.keep(model, 7);
    model.initialise(2, select_isa());
    CHECK(master_bits(model) != before);
    for (const char* name : {"gamma", "beta", "running_mean", "running_var"}) {
      parameter(model, "layers.0." + std::string(name)).master[39] = 3;
    }
    last_good.restore(model);
    CHECK(master_bits(model) == before);
    if (!master) CHECK(packed(model) == copies);  // with one they are packed from it
    CHECK(last_good.applied() == 7);
  }
}

}  // namespace
