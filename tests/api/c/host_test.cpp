// A host stays as it was, and a host without memory is told so.
#include <doctest/doctest.h>

#include <array>
#include <clocale>
#include <string>

#include "api/c/small_run.hpp"
#include "base/fp_env.hpp"
#include "support/effort.hpp"
#include "support/failing_new.hpp"

namespace halfstep::test {
namespace {

// The statuses of a short life, destroys last. Allocates nothing of its own: whatever fails is the library's.
struct Life {
  std::array<hs_status, 8> made{};
  std::array<hs_status, 3> destroyed{};
};

Life live(const SmallData& rows, const hs_model_spec& spec) {
  hs_config* config = nullptr;
  hs_dataset* data = nullptr;
  hs_trainer* trainer = nullptr;
  float outputs[SmallData::kRows * 2];
  hs_step_record record = HS_STEP_RECORD_INIT;
  const hs_matrix x = rows.matrix();
  Life life;
  std::size_t calls = 0;
  const auto note = [&](hs_status status) { life.made[calls++] = status; };
  note(hs_config_create(&config));
  if (config != nullptr) note(hs_config_set(config, "threads", "1"));
  if (config != nullptr) note(hs_config_set(config, "batch", "16"));
  note(hs_dataset_create_classes(&x, rows.labels.data(), rows.labels.size(), 0, &data));
  if (data != nullptr) note(hs_trainer_create(&spec, data, config, &trainer));
  if (trainer != nullptr) {
    note(hs_trainer_step(trainer, &record));
    note(hs_trainer_step(trainer, &record));
    note(hs_trainer_predict(trainer, &x, outputs, std::size(outputs), nullptr));
  }
  life.destroyed = {hs_trainer_destroy(trainer), hs_dataset_destroy(data), hs_config_destroy(config)};
  return life;
}

}  // namespace

TEST_CASE("c: a thousand lives leave floating-point environment and locale as they were") {
  using internal::FpEnvGuard;
  const std::string locale = std::setlocale(LC_ALL, nullptr);
  const SmallData rows;
  const hs_model_spec spec = small_spec();
  const long held = allocations().held;
  long grown = 0;
  const int lives = effort_is("quick") ? 50 : 1000;
  for (int i = 0; i < lives; ++i) {
    const auto fp_env = FpEnvGuard::read();
    const Life life = live(rows, spec);
    REQUIRE(FpEnvGuard::read() == fp_env);  // flags too
    for (const hs_status status : life.made) REQUIRE(status == HS_STATUS_OK);
    for (const hs_status status : life.destroyed) REQUIRE(status == HS_STATUS_OK);
    if (i == 1) grown = allocations().held;  // what is made once is there by now
  }
  CHECK(allocations().held == grown);
  CHECK(grown < held + 1000);
  CHECK(std::setlocale(LC_ALL, nullptr) == locale);
}

#if defined(__x86_64__)
TEST_CASE("c: a host with a rounding of its own has the same bits, and keeps it") {
  using internal::FpEnvGuard;
  // fp64, which is rounded on its way in.
  const SmallData rows;
  std::vector<double> wide;
  for (const float v : rows.x) wide.push_back(static_cast<double>(v) / 3);
  const hs_matrix x = {wide.data(), SmallData::kRows, 3, 0, HS_DTYPE_FP64, 0};
  const auto life = [&] {
    SmallRun run;
    hs_batch batch = run.batch();
    batch.x = x;
    HS_CHECK_OK(hs_trainer_step_batch(run.trainer, &batch, nullptr));
    HS_CHECK_OK(hs_trainer_run(run.trainer, nullptr, nullptr));
    return state_of(run.trainer);
  };
  const auto expected = life();
  const auto before = FpEnvGuard::read();
  const FpEnvGuard::Word upwards = 0x1f80u | 0x4000u;
  FpEnvGuard::write(upwards);
  const auto state = life();
  const auto after = FpEnvGuard::read();
  FpEnvGuard::write(before);
  CHECK((after & ~0x3fu) == upwards);  // but for the flags, which are the test's
  CHECK(state == expected);
}
#endif

TEST_CASE("c: whichever allocation fails, a status says so and handles can be destroyed") {
  const SmallData rows;
  const hs_model_spec spec = small_spec();
  live(rows, spec);  // what is made once
  long failed = 0;
  const long step = effort_is("quick") ? 7 : 1;
  for (long n = 1;; n += step) {
    CAPTURE(n);  // takes memory of its own, the first time
    const long held = allocations().held;
    Life life;
    long calls = 0;
    {
      const FailingNew failing(n);
      life = live(rows, spec);
      calls = FailingNew::calls();
    }
    int out_of_memory = 0;
    for (const hs_status status : life.made) {
      REQUIRE((status == HS_STATUS_OK || status == HS_STATUS_OUT_OF_MEMORY));
      if (status == HS_STATUS_OUT_OF_MEMORY) ++out_of_memory;
    }
    for (const hs_status status : life.destroyed) REQUIRE(status == HS_STATUS_OK);
    REQUIRE(out_of_memory <= 1);
    if (out_of_memory == 1) CHECK(std::string(hs_last_message()).find("memory") != std::string::npos);
    CHECK(allocations().held == held);
    failed += out_of_memory;
    if (calls < n) break;
  }
  CHECK(failed > 10);
}

}  // namespace halfstep::test
