#include "parallel/executor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/fp_env.hpp"
#include "halfstep/error.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

std::vector<std::string> back_ends() {
  std::vector<std::string> names = {"threads", "serial"};
  if (std::string_view(parallel_back_end()).starts_with("oneTBB")) names.insert(names.begin(), {"tbb", "host"});
  return names;
}

// f(executor) for each back end and thread count.
template <class F>
void for_each_executor(F f) {
  for (const std::string& name : back_ends()) {
    for (const int threads : {1, 2, 3, 8}) {
      INFO("back end " << name << ", threads " << threads);
      const auto executor = make_executor(threads, name);
      f(*executor);
    }
  }
}

TEST_CASE("executor: the thread count is the one asked for") {
  for (const std::string& name : back_ends()) {
    INFO("back end " << name);
    const int threads = make_executor(8, name)->threads();
    if (name == "host") {
      CHECK(threads <= 8);  // as many as the arena has
    } else {
      CHECK(threads == (name == "serial" ? 1 : 8));
    }
    CHECK(make_executor(0, name)->threads() == 1);
  }
}

TEST_CASE("executor: every task runs once") {
  for_each_executor([](Executor& executor) {
    for (const std::size_t tasks : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> runs(tasks);
      executor.run(tasks, [&](std::size_t task, int) { ++runs[task]; });
      CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& count) { return count == 1; }));
    }
  });
}

TEST_CASE("executor: alone, every task stays with the caller, and no longer than that") {
  for_each_executor([](Executor& executor) {
    {
      const Executor::Alone outer(executor, true);
      const Executor::Alone inner(executor, true);
      std::atomic<int> strangers = 0;
      const auto caller = std::this_thread::get_id();
      executor.run(64, [&](std::size_t, int) { strangers += std::this_thread::get_id() != caller; });
      CHECK(strangers == 0);
    }
    if (executor.threads() == 1) return;
    // Two tasks that wait for each other: one thread alone would not get through the first.
    std::atomic<int> arrived = 0;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    executor.run(2, [&](std::size_t, int) {
      ++arrived;
      while (arrived < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
    });
    CHECK(arrived == 2);
    CHECK(std::chrono::steady_clock::now() < give_up);
  });
}

// Of other lengths each time: a worker that is late must not take a task of a run that it has not seen begin.
TEST_CASE("executor: many short runs in a row") {
  for_each_executor([](Executor& executor) {
    int wrong = 0;
    for (std::size_t round = 0; round < 3000; ++round) {
      const std::size_t tasks = 2 + round * 5 % 11;
      std::vector<std::atomic<int>> runs(tasks);
      executor.run(tasks, [&](std::size_t task, int) { task < tasks ? ++runs[task] : ++wrong; });
      wrong += !std::all_of(runs.begin(), runs.end(), [](const auto& count) { return count == 1; });
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("executor: workers are in range and never shared at the same time") {
  for_each_executor([](Executor& executor) {
    std::vector<std::atomic<int>> inside(static_cast<std::size_t>(executor.threads()));
    std::atomic<bool> shared = false, out_of_range = false;
    executor.run(200, [&](std::size_t, int worker) {
      if (worker < 0 || worker >= executor.threads()) {
        out_of_range = true;
        return;
      }
      auto& mine = inside[static_cast<std::size_t>(worker)];
      if (mine.fetch_add(1) != 0) shared = true;
      std::this_thread::yield();
      mine.fetch_sub(1);
    });
    CHECK_FALSE(shared);
    CHECK_FALSE(out_of_range);
  });
}

// A test of thread counts proves nothing if the tasks never overlap.
TEST_CASE("executor: two tasks really run at the same time") {
  for (const std::string& name : back_ends()) {
    if (name == "serial") continue;
    INFO("back end " << name);
    const auto executor = make_executor(2, name);
    std::atomic<int> arrived = 0;
    std::atomic<bool> met = false;
    executor->run(2, [&](std::size_t, int) {
      ++arrived;
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (arrived < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      if (arrived == 2) met = true;
    });
    CHECK(met);
  }
}

TEST_CASE("executor: an exception reaches the caller, and the executor still works") {
  for_each_executor([](Executor& executor) {
    std::atomic<int> running = 0;
    CHECK_THROWS_WITH_AS(executor.run(100,
                                      [&](std::size_t task, int) {
                                        ++running;
                                        std::this_thread::yield();
                                        --running;
                                        if (task % 3 == 1) throw std::runtime_error("task failed");
                                      }),
                         "task failed", std::runtime_error);
    CHECK(running == 0);
    std::atomic<int> total = 0;
    executor.run(10, [&](std::size_t, int) { ++total; });
    CHECK(total == 10);
  });
}

TEST_CASE("executor: a run inside a body stays on its worker") {
  for_each_executor([](Executor& executor) {
    std::atomic<int> total = 0;
    std::atomic<bool> moved = false;
    executor.run(4, [&](std::size_t, int outer) {
      executor.run(5, [&](std::size_t, int inner) {
        if (inner != outer) moved = true;
        ++total;
      });
    });
    CHECK(total == 20);
    CHECK_FALSE(moved);
  });
}

TEST_CASE("executor: callers from several threads take turns") {
  for_each_executor([](Executor& executor) {
    std::atomic<int> inside = 0, total = 0;
    std::atomic<bool> overlap = false;
    const auto call = [&] {
      for (int round = 0; round < 20; ++round) {
        executor.run(4, [&](std::size_t, int) {
          if (++inside > executor.threads()) overlap = true;
          ++total;
          --inside;
        });
      }
    };
    std::thread other(call);
    call();
    other.join();
    CHECK(total == 160);
    CHECK_FALSE(overlap);
  });
}

TEST_CASE("executor: every task has our floating-point environment, and the caller keeps its own") {
  const auto before = FpEnvGuard::read();
  for_each_executor([](Executor& executor) {
    for (const std::size_t tasks : {1u, 64u}) {
      std::atomic<int> wrong = 0;
      executor.run(tasks, [&](std::size_t, int) {
        volatile float least_normal = 1.17549435e-38f, half = 0.5f;
        if (least_normal * half != 0.0f) ++wrong;  // not flushed
      });
      CHECK(wrong == 0);
    }
  });
  // Bits 0 to 5 of MXCSR are flags that any arithmetic here may raise.
  CHECK((FpEnvGuard::read() & ~0x3fu) == (before & ~0x3fu));
}

TEST_CASE("executor: an unknown back end is refused") { CHECK_THROWS_AS(make_executor(2, "carrier-pigeon"), Error); }

}  // namespace
