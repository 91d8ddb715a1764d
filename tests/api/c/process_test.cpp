// A host's signals, streams, CPUs, descriptors and threads are as they were after a thousand lives of a trainer.
#include <doctest/doctest.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "api/c/process_state.hpp"
#include "api/c/small_run.hpp"
#include "support/effort.hpp"

namespace halfstep::test {
namespace {

void live(const SmallData& rows, const char* threads) {
  const hs_model_spec spec = small_spec();
  const hs_matrix x = rows.matrix();
  hs_config* config = nullptr;
  hs_dataset* data = nullptr;
  hs_trainer* trainer = nullptr;
  hs_model* model = nullptr;
  hs_predictor* predictor = nullptr;
  float outputs[SmallData::kRows * 2];
  REQUIRE(hs_config_create(&config) == HS_STATUS_OK);
  REQUIRE(hs_config_set(config, "threads", threads) == HS_STATUS_OK);
  REQUIRE(hs_dataset_create_classes(&x, rows.labels.data(), rows.labels.size(), 0, &data) == HS_STATUS_OK);
  REQUIRE(hs_trainer_create(&spec, data, config, &trainer) == HS_STATUS_OK);
  REQUIRE(hs_trainer_step(trainer, nullptr) == HS_STATUS_OK);
  REQUIRE(hs_trainer_snapshot(trainer, &model) == HS_STATUS_OK);
  REQUIRE(hs_predictor_create(model, 1, 1, &predictor) == HS_STATUS_OK);
  REQUIRE(hs_predictor_predict(predictor, &x, outputs, std::size(outputs), nullptr) == HS_STATUS_OK);
  REQUIRE(hs_predictor_destroy(predictor) == HS_STATUS_OK);
  REQUIRE(hs_model_destroy(model) == HS_STATUS_OK);
  REQUIRE(hs_trainer_destroy(trainer) == HS_STATUS_OK);
  REQUIRE(hs_dataset_destroy(data) == HS_STATUS_OK);
  REQUIRE(hs_config_destroy(config) == HS_STATUS_OK);
}

// One that was joined may be listed a moment longer.
bool threads_become(std::size_t most) {
  for (int i = 0; i < 1000; ++i) {
    if (thread_count() <= most) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

void handler(int) {}

// A host that has chosen much of it otherwise than it comes.
class Choices {
 public:
  Choices() {
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigaddset(&some, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &some, &mask_);
    struct sigaction mine = {};
    mine.sa_handler = handler;
    mine.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &mine, &action_);
  }
  ~Choices() {
    sigaction(SIGUSR1, &action_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  Choices(const Choices&) = delete;

 private:
  sigset_t mask_{};
  struct sigaction action_ = {};
};

}  // namespace

TEST_CASE("c: what a library might change of its process is noticed") {
  const ProcessState before;
  CHECK(ProcessState() == before);
  {
    const Choices choices;
    const ProcessState chosen;
    CHECK(chosen.signals.blocked != before.signals.blocked);
    CHECK(chosen.signals.handlers != before.signals.handlers);
    CHECK(chosen != before);
  }
  const int fd = open("/dev/null", O_WRONLY);
  CHECK(ProcessState() != before);
  const int error = dup(2);
  dup2(fd, 2);
  CHECK(ProcessState().streams != before.streams);
  dup2(error, 2);
  close(error);
  close(fd);
  const int flags = fcntl(1, F_GETFL);
  fcntl(1, F_SETFL, flags ^ O_APPEND);
  CHECK(ProcessState().streams != before.streams);
  fcntl(1, F_SETFL, flags);
  std::thread waiting([] { std::this_thread::sleep_for(std::chrono::milliseconds(100)); });
  CHECK(thread_count() > 1);
  waiting.join();
  CHECK(ProcessState() == before);
}

TEST_CASE("c: a thousand lives leave signals, streams, CPUs, descriptors and threads as they were") {
  const SmallData rows;
  const Choices choices;
  const ProcessState before;
  CHECK(before.signals.blocked[SIGUSR2]);
  REQUIRE(before.open.size() >= 1);
  const std::size_t threads = thread_count();
  const int lives = effort_is("quick") ? 50 : 1000;
  for (int i = 0; i < lives; ++i) {
    live(rows, "1");
    REQUIRE(ProcessState() == before);
  }
  CHECK(threads_become(threads));
}

TEST_CASE("c: lives with threads of their own leave a process as it was, and its threads as after the first few") {
  const SmallData rows;
  const Choices choices;
  const ProcessState before;
  for (int i = 0; i < 3; ++i) live(rows, "4");
  const std::size_t threads = thread_count() + 4;  // oneTBB keeps some, and may start the rest later
  const int lives = effort_is("quick") ? 20 : 300;
  for (int i = 0; i < lives; ++i) {
    live(rows, "4");
    REQUIRE(ProcessState() == before);
  }
  CHECK(threads_become(threads));
}

}  // namespace halfstep::test
