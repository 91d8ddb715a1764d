// Callbacks, stops and forks.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "api/c/small_run.hpp"
#include "base/fp_env.hpp"

namespace halfstep::test {
namespace {

struct Seen {
  hs_trainer* trainer = nullptr;
  long calls = 0;
  long stop_at = -1;
  hs_status stepped = -1, destroyed = -1, read = -1;
  std::string last;
};

Seen& seen_of(void* user_data) { return *static_cast<Seen*>(user_data); }

std::int32_t count(const hs_step_record* record, void* user_data) {
  Seen& seen = seen_of(user_data);
  CHECK(record->struct_size == sizeof(hs_step_record));
  CHECK(record->step == ++seen.calls);
  return seen.calls == seen.stop_at ? 1 : 0;
}

std::int32_t call_back(const hs_step_record*, void* user_data) {
  Seen& seen = seen_of(user_data);
  ++seen.calls;
  std::int32_t done = 0;
  seen.stepped = hs_trainer_step(seen.trainer, nullptr);
  seen.read = hs_trainer_done(seen.trainer, &done);
  seen.destroyed = hs_trainer_destroy(seen.trainer);
  seen.last = hs_last_message();
  return 0;
}

std::int32_t throw_error(const hs_step_record*, void*) { throw std::runtime_error("from the host"); }
std::int32_t throw_number(const hs_step_record*, void*) { throw 7; }
std::int32_t throw_memory(const hs_step_record*, void*) { throw std::bad_alloc(); }
std::int32_t request(const hs_step_record*, void* user_data) {
  Seen& seen = seen_of(user_data);
  ++seen.calls;
  HS_CHECK_OK(hs_trainer_request_stop(seen.trainer));
  return 0;
}

hs_trainer* g_signalled = nullptr;
void on_signal(int) { hs_trainer_request_stop(g_signalled); }
std::int32_t raise_signal(const hs_step_record*, void* user_data) {
  ++seen_of(user_data).calls;
  std::raise(SIGUSR1);
  return 0;
}

std::int64_t attempted(hs_trainer* trainer) {
  hs_step_counts counts = HS_STEP_COUNTS_INIT;
  HS_CHECK_OK(hs_trainer_counts(trainer, &counts));
  return counts.attempted;
}

}  // namespace

TEST_CASE("c: a run tells of every step, and stops where its callback says") {
  SmallRun run("6");
  Seen seen;
  seen.stop_at = 2;
  CHECK(hs_trainer_run(run.trainer, count, &seen) == HS_STATUS_CANCELLED);
  CHECK(seen.calls == 2);
  CHECK(attempted(run.trainer) == 2);
  HS_CHECK_OK(hs_trainer_run(run.trainer, count, &seen));
  CHECK(seen.calls == 6);
  std::int32_t done = 0;
  HS_CHECK_OK(hs_trainer_done(run.trainer, &done));
  CHECK(done == 1);
  HS_CHECK_OK(hs_trainer_run(run.trainer, nullptr, nullptr));
  CHECK(attempted(run.trainer) == 6);
}

TEST_CASE("c: a callback that uses or destroys its trainer") {
  SmallRun run;
  Seen seen;
  seen.trainer = run.trainer;
  HS_CHECK_OK(hs_trainer_run(run.trainer, call_back, &seen));
  CHECK(seen.calls == 4);
  CHECK(seen.stepped == HS_STATUS_STATE);
  CHECK(seen.read == HS_STATUS_STATE);
  CHECK(seen.destroyed == HS_STATUS_STATE);
  CHECK(seen.last.find("in use") != std::string::npos);
  CHECK(std::string(hs_trainer_message(run.trainer)).empty());
}

TEST_CASE("c: a callback has the floating-point environment of its host") {
  using internal::FpEnvGuard;
  const auto note = [](const hs_step_record*, void* user_data) -> std::int32_t {
    *static_cast<FpEnvGuard::Word*>(user_data) = FpEnvGuard::read();
    return 0;
  };
  SmallRun run;
  FpEnvGuard::Word seen = 0;
  const FpEnvGuard::Word before = FpEnvGuard::read(), flushing = FpEnvGuard::kWanted;
  FpEnvGuard::write(flushing);
  const hs_status status = hs_trainer_run(run.trainer, note, &seen);
  const FpEnvGuard::Word after = FpEnvGuard::read();
  FpEnvGuard::write(before);
  HS_CHECK_OK(status);
  CHECK(seen == flushing);
  CHECK(after == flushing);
}

TEST_CASE("c: a callback that throws") {
  SmallRun run("6");
  for (const hs_progress callback : {throw_error, throw_number, throw_memory}) {
    CHECK(hs_trainer_run(run.trainer, callback, nullptr) == HS_STATUS_INTERNAL);
    CHECK(std::string(hs_trainer_message(run.trainer)).find("callback") != std::string::npos);
  }
  CHECK(attempted(run.trainer) == 3);
  HS_CHECK_OK(hs_trainer_run(run.trainer, nullptr, nullptr));
}

TEST_CASE("c: a budget of time, and a snapshot that stays as it was while training goes on") {
  SmallRun run("1000000");
  hs_steps_made made = HS_STEPS_MADE_INIT;
  std::int64_t steps = 0;
  for (int frame = 0; frame < 20; ++frame) {
    HS_CHECK_OK(hs_trainer_train_for(run.trainer, 200000, &made));
    CHECK(made.stopped == 0);
    CHECK(made.overrun_ns == (made.elapsed_ns > 200000 ? made.elapsed_ns - 200000 : 0));
    steps += made.steps;
  }
  hs_step_counts counts = HS_STEP_COUNTS_INIT;
  HS_CHECK_OK(hs_trainer_counts(run.trainer, &counts));
  CHECK(counts.attempted == steps);
  CHECK(steps > 0);
  HS_CHECK_OK(hs_trainer_train_for(run.trainer, -5, nullptr));
  hs_steps_made wrong = HS_STEPS_MADE_INIT;
  wrong.struct_size = 7;
  CHECK(hs_trainer_train_for(run.trainer, 1000, &wrong) == HS_STATUS_INVALID_ARGUMENT);

  hs_model* model = nullptr;
  CHECK(hs_trainer_snapshot(run.trainer, nullptr) == HS_STATUS_INVALID_ARGUMENT);
  HS_CHECK_OK(hs_trainer_snapshot(run.trainer, &model));
  const hs_matrix x = run.rows.matrix();
  std::vector<float> before(SmallData::kRows * 2), after(before.size()), own(before.size());
  HS_CHECK_OK(hs_trainer_predict(run.trainer, &x, before.data(), before.size(), nullptr));
  do {  // on a busy machine a step may be expected to take longer than this
    HS_CHECK_OK(hs_trainer_train_for(run.trainer, 2000000, &made));
  } while (made.steps == 0);
  HS_CHECK_OK(hs_model_predict(model, &x, after.data(), after.size(), nullptr));
  HS_CHECK_OK(hs_trainer_predict(run.trainer, &x, own.data(), own.size(), nullptr));
  CHECK(before == after);
  CHECK(before != own);
  HS_CHECK_OK(hs_model_destroy(model));
}

TEST_CASE("c: a stop that is asked for, before, in and beside a run") {
  SmallRun run("1000000");
  Seen seen;
  seen.trainer = g_signalled = run.trainer;
  HS_CHECK_OK(hs_trainer_request_stop(run.trainer));
  CHECK(hs_trainer_run(run.trainer, count, &seen) == HS_STATUS_CANCELLED);
  CHECK(seen.calls == 0);
  CHECK(hs_trainer_run(run.trainer, request, &seen) == HS_STATUS_CANCELLED);
  CHECK(seen.calls == 1);
  void (*const before)(int) = std::signal(SIGUSR1, on_signal);
  CHECK(hs_trainer_run(run.trainer, raise_signal, &seen) == HS_STATUS_CANCELLED);
  std::signal(SIGUSR1, before);
  CHECK(seen.calls == 2);
  std::thread other([&] { HS_CHECK_OK(hs_trainer_request_stop(run.trainer)); });
  CHECK(hs_trainer_run(run.trainer, nullptr, nullptr) == HS_STATUS_CANCELLED);
  other.join();
}

TEST_CASE("c: a second thread is refused") {
  SmallRun run("1000000");
  struct Gate {
    std::atomic<bool> inside = false, leave = false;
  } gate;
  std::thread other([&] {
    const auto wait = [](const hs_step_record*, void* user_data) -> std::int32_t {
      Gate& g = *static_cast<Gate*>(user_data);
      g.inside = true;
      while (!g.leave) std::this_thread::yield();
      return 1;
    };
    hs_trainer_run(run.trainer, wait, &gate);
  });
  while (!gate.inside) std::this_thread::yield();
  CHECK(hs_trainer_step(run.trainer, nullptr) == HS_STATUS_STATE);
  CHECK(hs_trainer_destroy(run.trainer) == HS_STATUS_STATE);
  gate.leave = true;
  other.join();
  CHECK(attempted(run.trainer) == 1);
}

TEST_CASE("c: without a set there is nothing to run over") {
  SmallRun run;
  hs_trainer* trainer = nullptr;
  HS_CHECK_OK(hs_trainer_create(&run.spec, nullptr, run.config, &trainer));
  CHECK(hs_trainer_run(trainer, nullptr, nullptr) == HS_STATUS_STATE);
  CHECK(hs_trainer_step(trainer, nullptr) == HS_STATUS_STATE);
  const hs_batch batch = run.batch();
  HS_CHECK_OK(hs_trainer_step_batch(trainer, &batch, nullptr));
  HS_CHECK_OK(hs_trainer_destroy(trainer));
}

TEST_CASE("c: in a forked process every call is refused") {
  SmallRun run;
  const pid_t child = ::fork();
  if (child == 0) {
    hs_config* config = nullptr;
    const bool refused = hs_trainer_step(run.trainer, nullptr) == HS_STATUS_STATE &&
                         hs_config_create(&config) == HS_STATUS_STATE &&
                         hs_trainer_destroy(run.trainer) == HS_STATUS_STATE && hs_last_message()[0] != '\0' &&
                         hs_trainer_message(run.trainer)[0] == '\0';
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  HS_CHECK_OK(hs_trainer_step(run.trainer, nullptr));
}

}  // namespace halfstep::test
