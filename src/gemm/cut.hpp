// How a product with a left operand in rows is cut in tasks, of rows x columns.
#pragma once
#include <cstddef>
#include <vector>

namespace halfstep {

// Rows are cut at multiples of a grain, near even shares; columns, in panels of 16, in blocks of like size, 4 at most.
// Tasks are numbered by rows, then by blocks.
struct Cut {
  std::size_t rows, grain, row_tasks;
  std::size_t panels, blocks;

  std::size_t row_begin(std::size_t task) const;
  std::size_t most_rows() const;
  std::size_t panel_begin(std::size_t block) const { return block * panels / blocks; }
};

// What a cut is chosen for: at most so many rows a task (more, by less than a grain, where the grain allows no less).
struct CutRequest {
  std::size_t rows, panels, most_rows, grain;
  int threads;
  bool operator==(const CutRequest&) const = default;
};

// The cut with which the last thread ends first.
Cut best_cut(const CutRequest&);

// Remembers the last cuts: choosing one takes as long as a small product.
class Cuts {
 public:
  const Cut& of(const CutRequest&);

 private:
  struct Entry {
    CutRequest request = {};
    Cut cut = {};
  };
  std::vector<Entry> entries_ = std::vector<Entry>(64);
};

}  // namespace halfstep
