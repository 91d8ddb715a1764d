// How a product with a left operand in rows is cut in tasks, of rows x columns.
#pragma once
#include <cstddef>

namespace halfstep::internal {

// Rows are cut at multiples of a grain, near even shares; columns, in panels of 16, in blocks of like size, 4 at most.
// Tasks are numbered by rows, then by blocks.
struct Cut {
  std::size_t rows = 0, grain = 0, row_tasks = 0;
  std::size_t panels = 0, blocks = 0;

  std::size_t row_begin(std::size_t task) const;
  std::size_t most_rows() const;
  std::size_t panel_begin(std::size_t block) const { return block * panels / blocks; }
  bool operator==(const Cut&) const = default;
};

// What a cut is chosen for: at most so many rows a task (more, by less than a grain, where the grain allows no less).
struct CutRequest {
  std::size_t rows, panels, most_rows, grain;
  int threads;
};

// The cut with which the last thread ends first.
Cut best_cut(const CutRequest&);

}  // namespace halfstep::internal
