// What threads call around their tasks of a run.
#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "parallel/executor.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

std::atomic<int> entered = 0, left = 0, other_entered = 0, other_left = 0;
thread_local int inside = 0, inside_other = 0;

constexpr WorkerHooks kHooks = {[] { ++entered, ++inside; }, [] { ++left, --inside; }};
constexpr WorkerHooks kOther = {[] { ++other_entered, ++inside_other; }, [] { ++other_left, --inside_other; }};

void reset() { entered = left = other_entered = other_left = 0; }

template <class F>
void for_each_executor(F f) {
  std::vector<std::string> names = {"threads", "serial"};
  if (std::string_view(parallel_back_end()).starts_with("oneTBB")) names.insert(names.begin(), "tbb");
  for (const std::string& name : names) {
    for (const int threads : {1, 2, 5}) {
      INFO("back end " << name << ", threads " << threads);
      reset();
      const auto executor = make_executor(threads, name);
      f(*executor);
      CHECK(entered == left);
      CHECK(other_entered == other_left);
      CHECK(inside == 0);
    }
  }
}

TEST_CASE("hooks: each worker that runs a task enters once and leaves once a run, and no other does") {
  for_each_executor([](Executor& executor) {
    for (const std::size_t tasks : {0u, 1u, 2u, 7u, 300u}) {
      for (const int most_threads : {0, 1}) {
        reset();
        std::vector<std::atomic<int>> workers(static_cast<std::size_t>(executor.threads()));
        std::atomic<int> outside = 0;
        const auto body = [&](std::size_t, int worker) {
          workers[static_cast<std::size_t>(worker)] = 1;
          if (inside != 1) ++outside;
        };
        executor.run(tasks, body, most_threads, kHooks);
        int ran = 0;
        for (const auto& worker : workers) ran += worker;
        CHECK(outside == 0);
        CHECK(entered == ran);
        CHECK(left == ran);
      }
    }
  });
}

TEST_CASE("hooks: a run without any calls none") {
  for_each_executor([](Executor& executor) {
    executor.run(
        50, [](std::size_t, int) {}, 0, kHooks);
    reset();
    std::atomic<int> within = 0;
    executor.run(50, [&](std::size_t, int) { within += inside; });
    CHECK(entered == 0);
    CHECK(within == 0);
  });
}

TEST_CASE("hooks: workers leave where a task throws") {
  for_each_executor([](Executor& executor) {
    for (std::size_t bad = 0; bad < 40; bad += 13) {
      const auto body = [&](std::size_t task, int) {
        if (task == bad) throw std::runtime_error("bad");
      };
      CHECK_THROWS_AS(executor.run(40, body, 0, kHooks), std::runtime_error);
      CHECK(inside == 0);
    }
    CHECK(entered > 0);
  });
}

TEST_CASE("hooks: a run inside a task with the same hooks calls none again") {
  for_each_executor([](Executor& executor) {
    const auto body = [&](std::size_t, int) {
      executor.run(
          3, [](std::size_t, int) {}, 0, kHooks);
    };
    executor.run(20, body, 0, kHooks);
    CHECK(entered <= executor.threads());
  });
}

TEST_CASE("hooks: a run inside a task stays entered, or leaves for hooks of its own and comes back") {
  for_each_executor([](Executor& executor) {
    std::atomic<int> wrong = 0;
    const auto check = [&](int here, int other) {
      if (inside != here || inside_other != other) ++wrong;
    };
    const auto body = [&](std::size_t, int) {
      check(1, 0);
      executor.run(
          3, [&](std::size_t, int) { check(1, 0); }, 0, kHooks);
      executor.run(3, [&](std::size_t, int) { check(1, 0); });
      executor.run(
          3, [&](std::size_t, int) { check(0, 1); }, 0, kOther);
      check(1, 0);
    };
    executor.run(20, body, 0, kHooks);
    CHECK(wrong == 0);
    CHECK(other_entered == 20);
  });
}

}  // namespace
