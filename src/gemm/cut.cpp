#include "gemm/cut.hpp"

#include <algorithm>
#include <array>

#include "gemm/layout.hpp"

namespace halfstep::internal {
namespace {

// Time of a task, in rows x panels: its right operand and its call are worth some rows, each row's some of a panel.
double task_time(std::size_t rows, std::size_t panels) {
  return (static_cast<double>(rows) + 4) * (static_cast<double>(panels) + 0.25);
}

double task_time(const Cut& cut, std::size_t task) {
  const std::size_t row_task = task / cut.blocks, block = task % cut.blocks;
  return task_time(cut.row_begin(row_task + 1) - cut.row_begin(row_task),
                   cut.panel_begin(block + 1) - cut.panel_begin(block));
}

constexpr std::size_t kMostThreads = 256;  // whose shares are followed one by one

// Time until the last thread ends, with tasks given out as the executor does it: each thread has a share of consecutive
// ones, and then takes what others have left.
double time_of_shares(const Cut& cut, std::size_t threads) {
  struct Thread {
    double time;
    std::size_t next, end;
  };
  std::array<Thread, kMostThreads> all;
  const std::size_t tasks = cut.row_tasks * cut.blocks;
  for (std::size_t i = 0, begin = 0; i < threads; ++i) {
    const std::size_t end = begin + tasks / threads + (i < tasks % threads ? 1 : 0);
    all[i] = {0, begin, end};
    begin = end;
  }
  double last = 0;
  for (std::size_t taken = 0; taken < tasks; ++taken) {
    std::size_t first = 0;
    for (std::size_t i = 1; i < threads; ++i) first = all[i].time < all[first].time ? i : first;
    std::size_t from = first;
    while (all[from].next == all[from].end) from = (from + 1) % threads;
    all[first].time += task_time(cut, all[from].next++);
    last = std::max(last, all[first].time);
  }
  return last;
}

// Time until the last thread ends.
double time_of(const Cut& cut, std::size_t threads) {
  const std::size_t tasks = cut.row_tasks * cut.blocks;
  if (tasks <= 16 * threads && threads <= kMostThreads) return time_of_shares(cut, threads);
  double all = 0;
  for (std::size_t task = 0; task < tasks; ++task) all += task_time(cut, task);
  return all / static_cast<double>(threads) + task_time(cut, tasks - 1) / 2;  // some wait for half a task
}

}  // namespace

std::size_t Cut::row_begin(std::size_t task) const {
  if (task == row_tasks) return rows;
  const std::size_t span = row_tasks * grain;
  return span >= rows ? task * grain : (2 * task * rows + span) / (2 * span) * grain;
}

std::size_t Cut::most_rows() const {
  std::size_t most = 0;
  for (std::size_t task = 0; task < row_tasks; ++task) most = std::max(most, row_begin(task + 1) - row_begin(task));
  return most;
}

Cut best_cut(const CutRequest& r) {
  const auto threads = static_cast<std::size_t>(r.threads);
  const std::size_t fewest_blocks = (r.panels + kMostPanels - 1) / kMostPanels;
  const std::size_t most_blocks = threads == 1 ? fewest_blocks : std::min(r.panels, round_up(fewest_blocks, threads));
  Cut best = {};
  double best_time = 0;
  auto consider = [&](std::size_t grain, std::size_t row_tasks, std::size_t blocks) {
    const Cut cut = {r.rows, grain, row_tasks, r.panels, blocks};
    if (cut.most_rows() > std::max(r.most_rows, grain)) return;
    const double time = time_of(cut, threads);
    if (best.row_tasks > 0 && time >= best_time) return;
    best = cut;
    best_time = time;
  };
  // Chunks of sums in whole, or finer where the product is so small that the threads would share it unevenly.
  for (const std::size_t grain : {kSumRows, r.grain}) {
    const std::size_t fewest = (r.rows + r.most_rows - 1) / r.most_rows, all = (r.rows + grain - 1) / grain;
    const std::size_t most = std::min(all, fewest + 2 * threads);
    if (grain < kSumRows && fewest_blocks * fewest >= 4 * threads) continue;
    for (std::size_t row_tasks = fewest; row_tasks <= all && (row_tasks <= most || best.row_tasks == 0); ++row_tasks) {
      for (std::size_t blocks = fewest_blocks; blocks <= most_blocks; ++blocks) consider(grain, row_tasks, blocks);
    }
  }
  return best;
}

}  // namespace halfstep::internal
