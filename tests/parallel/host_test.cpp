// As a guest in a host that uses oneTBB itself.
#include <doctest/doctest.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "halfstep/error.hpp"
#include "halfstep/trainer.hpp"
#include "parallel/executor.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

Trainer trainer_of(bool host) {
  Options options;
  options.threads = 3;
  options.threads_of_host = host;
  options.batch = 64;
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 256; ++i) {
    for (int j = 0; j < 40; ++j) x.push_back(static_cast<float>((i * 7 + j * 13) % 29) / 29);
    labels.push_back(i % 4);
  }
  return Trainer({.widths = {40, 200, 136, 4}}, Dataset::classes(40, x, labels), options);
}

TEST_CASE("host: in its arena the bits are those of own threads, and no more threads work than it has") {
  Trainer own = trainer_of(false);
  for (int i = 0; i < 20; ++i) own.step();
  for (const int width : {1, 2, 3}) {
    tbb::task_arena arena(width);
    arena.execute([&] {
      Trainer guest = trainer_of(true);
      for (int i = 0; i < 20; ++i) guest.step();
      CHECK(guest.state() == own.state());
      CHECK(make_executor(64, "host")->threads() <= width);
    });
  }
}

TEST_CASE("host: a thread that waits for the end of a run takes none of the host's tasks") {
  tbb::task_arena arena(2);
  std::atomic<bool> waits = false;
  std::atomic<int> foreign = 0;
  thread_local bool inside = false;
  std::thread host([&] {
    while (!waits.load()) std::this_thread::yield();
    for (int i = 0; i < 20; ++i) arena.enqueue([&] { foreign.fetch_add(inside ? 1 : 0); });
  });
  arena.execute([&] {
    const auto executor = make_executor(2, "host");
    inside = true;
    executor->run(2, [&](std::size_t, int worker) {
      if (worker == 0) {  // the caller: leaves the other task to the other thread
        while (!waits.load()) std::this_thread::yield();
        return;
      }
      waits.store(true);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    });
    inside = false;
  });
  host.join();
  CHECK(foreign == 0);
}

TEST_CASE("host: steps within its own parallel loops neither wait for each other nor take its tasks") {
  Trainer reference = trainer_of(false);
  for (int i = 0; i < 10; ++i) reference.step();
  const auto expected = reference.state();
  for (const bool host : {false, true}) {
    std::atomic<int> right = 0, foreign = 0;
    thread_local bool training = false;
    tbb::task_arena arena(3);
    arena.execute([&] {
      tbb::parallel_for(0, 12, [&](int i) {
        if (training) foreign.fetch_add(1);  // this thread was in the middle of a step
        if (i % 3 != 0) return std::this_thread::sleep_for(std::chrono::microseconds(200));
        training = true;
        Trainer guest = trainer_of(host);
        for (int s = 0; s < 10; ++s) guest.step();
        right.fetch_add(guest.state() == expected ? 1 : 0);
        training = false;
      });
    });
    CHECK(right == 4);
    CHECK(foreign == 0);
  }
}

TEST_CASE("host: a task that throws, and a run of the caller's thread within a task") {
  tbb::task_arena arena(3);
  arena.execute([] {
    const auto executor = make_executor(3, "host");
    for (int round = 0; round < 50; ++round) {
      CHECK_THROWS_AS(executor->run(100,
                                    [](std::size_t task, int) {
                                      if (task == 37)
                                        throw Error(Status::state,
                                                    {.what = "no", .where = {}, .why = {}, .kept = {}, .hint = {}});
                                    }),
                      Error);
    }
    std::atomic<int> inner = 0;
    executor->run(8, [&](std::size_t, int) { executor->run(5, [&](std::size_t, int) { inner.fetch_add(1); }); });
    CHECK(inner == 40);
  });
}

}  // namespace
