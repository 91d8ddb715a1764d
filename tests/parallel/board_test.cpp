#include "parallel/board.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <vector>

using namespace halfstep;
using namespace halfstep::internal;

namespace {

// Every worker of these runs is this thread: what each of them does when is fixed.
struct Run {
  std::vector<int> workers;  // who ran the task, or -1
  explicit Run(std::size_t tasks) : workers(tasks, -1) {}
  void operator()(std::size_t task, int worker) { workers.at(task) = worker; }
};

const auto kOwner = make_executor(1, "serial");

TEST_CASE("board: a share stays with its worker, and what is left goes to whoever comes") {
  Board board(*kOwner, 3);
  Run run(7);
  board.begin(7, run);
  board.work(1, board.notice());  // its own two, then those of worker 2, then the caller's but the first
  CHECK(run.workers == std::vector<int>{-1, 1, 1, 1, 1, 1, 1});
  board.work_as_caller();
  board.work(2, board.notice());
  CHECK(run.workers == std::vector<int>{0, 1, 1, 1, 1, 1, 1});
  board.finish();
}

TEST_CASE("board: whoever comes late takes nothing, of that run or the next") {
  Board board(*kOwner, 2);
  Run first(4), second(6);
  board.begin(4, first);
  const Board::Notice late = board.notice();
  board.work_as_caller();
  board.finish();
  board.work(1, late);
  CHECK(first.workers == std::vector<int>(4, 0));
  board.begin(6, second);
  board.work(1, late);
  REQUIRE(second.workers == std::vector<int>(6, -1));  // or the run would not end
  board.work_as_caller();
  board.finish();
  CHECK(second.workers == std::vector<int>(6, 0));
}

TEST_CASE("board: fewer tasks than workers") {
  Board board(*kOwner, 4);
  for (const std::uint32_t tasks : {1u, 3u}) {
    Run run(tasks);
    board.begin(tasks, run);
    for (int worker = 1; worker < 4; ++worker) board.work(worker, board.notice());
    board.work_as_caller();
    board.finish();
    CHECK(run.workers == (tasks == 1 ? std::vector<int>{0} : std::vector<int>{0, 1, 1}));
  }
}

TEST_CASE("board: counters that nobody has touched for long do not look newer than a run") {
  Board board(*kOwner, 3, 0x7fffffff);
  for (const std::uint32_t tasks : {1u, 6u}) {
    Run run(tasks);
    board.begin(tasks, run);
    board.work_as_caller();
    REQUIRE(run.workers == std::vector<int>(tasks, 0));  // or the run would not end
    board.finish();
  }
}

TEST_CASE("board: an exception drops what has not begun") {
  Board board(*kOwner, 2);
  int begun = 0;
  auto body = [&](std::size_t, int) {
    ++begun;
    throw std::runtime_error("task failed");
  };
  board.begin(10, body);
  board.work(1, board.notice());
  CHECK(begun == 1);
  board.work_as_caller();  // its first task is its own from the beginning
  CHECK(begun == 2);
  CHECK_THROWS_WITH_AS(board.finish(), "task failed", std::runtime_error);
  Run next(3);
  board.begin(3, next);
  board.work_as_caller();
  board.finish();
  CHECK(next.workers == std::vector<int>(3, 0));
}

}  // namespace
