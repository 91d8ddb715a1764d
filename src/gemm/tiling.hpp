// Cutting rows and columns into tiles of the sizes that the ISA has.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/table.hpp"

namespace halfstep {

inline const std::byte* at(const void* base, std::size_t bytes) { return static_cast<const std::byte*>(base) + bytes; }

// Heights of the tiles that cover some rows, as indices in kTileHeights: as few tiles as possible, of like heights (8
// rows with at most 6 a tile are 4 + 4, not 6 + 2). Worked out when compiled: it is asked for at every tile.
class TileHeights {
 public:
  static constexpr std::size_t kMostRows = 48;

  constexpr TileHeights() {
    for (std::size_t most = 2; most <= 16; most += 2) {
      for (std::size_t rows = 2; rows <= kMostRows; rows += 2) next_[most / 2][rows / 2] = choose(rows, most);
    }
  }
  // The next tile of `rows`, even and from 2 to kMostRows, with at most `most` a tile.
  constexpr std::size_t next(std::size_t rows, std::size_t most) const { return next_[most / 2][rows / 2]; }

 private:
  static constexpr std::uint8_t choose(std::size_t rows, std::size_t most) {
    for (std::size_t tiles = (rows + most - 1) / most;; ++tiles) {
      std::uint8_t height = 0;
      while (kTileHeights[height] * tiles < rows) ++height;
      if (kTileHeights[height] <= std::min(rows, most)) return height;
    }
  }
  std::uint8_t next_[9][kMostRows / 2 + 1] = {};
};
inline constexpr TileHeights kHeights;

// Some panels of the right operand over one block of k, times any rows of the left one.
struct TileCall {
  const GemmFamily& family;
  const TileFunction (*functions)[4];  // of the family: rows_tile or panel_tile
  std::size_t k;
  std::size_t lhs_stride;  // 4-byte units
  const void* rhs;
  std::size_t rhs_stride;  // elements
  std::size_t element;
  std::size_t panels;
  std::size_t ldc;
  bool accumulate;

  std::size_t most_rows() const { return family.most_rows[std::min(family.panels, panels) - 1]; }

  void run(std::size_t height, const void* lhs, float* c) const {
    for (std::size_t p = 0; p < panels; p += family.panels) {
      const std::size_t count = std::min(family.panels, panels - p);
      functions[height][count - 1](k, lhs, lhs_stride, at(rhs, p * rhs_stride * element), rhs_stride, c + p * kLanes,
                                   ldc, accumulate);
    }
  }
};

}  // namespace halfstep
