// Cutting rows and columns into tiles of the sizes that the ISA has.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gemm/side_tasks.hpp"
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
  const GemmFamily* rest;  // for the others, where the first tile converts the right operand for all; else null
  bool lhs_panel;          // lhs in panels, else in rows
  std::size_t k;
  std::size_t lhs_stride;  // 4-byte units
  const void* rhs;
  const void* next_rhs;    // the one after this, to have it in L2 by then: as many panels, as far apart
  std::size_t rhs_stride;  // elements
  std::size_t element;
  std::size_t panels;
  float* widened;  // [4 * widened_panel(k)], if the family has a rest
  std::size_t ldc;
  bool accumulate;
  SideShare* side = nullptr;  // gets what tiles can fetch beyond next_rhs

  // Panels off powers of two: in distinct cache sets.
  static constexpr std::size_t widened_panel(std::size_t k) { return (k + 1) * kLanes; }

  // The tiles of a call are numbered from 0.
  const GemmFamily& family_of(std::size_t number) const { return rest && number > 0 ? *rest : family; }
  std::size_t most_rows(std::size_t number) const {
    const GemmFamily& f = family_of(number);
    return f.most_rows[std::min(f.panels, panels) - 1];
  }
  void run(std::size_t number, std::size_t height, const void* lhs, float* c) const {
    const bool converted = rest && number > 0;
    const GemmFamily& f = family_of(number);
    // A tile fetches k/2 lines: a panel of 16-bit values, or half of one in fp32.
    const bool halves = element == sizeof(float);
    const std::size_t fetched = halves ? number / 2 : number, offset = halves && number % 2 == 1 ? k / 2 * 64 : 0;
    for (std::size_t p = 0; p < panels; p += f.panels) {
      const std::size_t count = std::min(f.panels, panels - p);
      // Past the last panel the tiles fetch for side tasks, or look at the last one again.
      const std::byte* ahead = fetched >= count && side ? side->ahead(k / 2 * 64) : nullptr;
      if (!ahead) ahead = at(next_rhs, std::min(p + fetched, p + count - 1) * rhs_stride * element + offset);
      float* const wide = widened + p * widened_panel(k);
      const auto* functions = lhs_panel ? f.panel_tile : f.rows_tile;
      functions[height][count - 1](
          {.k = k,
           .lhs = lhs,
           .lhs_stride = lhs_stride,
           .rhs = converted ? static_cast<const void*>(wide) : at(rhs, p * rhs_stride * element),
           .rhs_stride = converted ? widened_panel(k) : rhs_stride,
           .c = c + p * kLanes,
           .ldc = ldc,
           .accumulate = accumulate,
           .widened = wide,
           .widened_stride = widened_panel(k),
           .widened_step = rest ? 2 * kLanes : 0,
           .ahead = ahead});
    }
    if (side) side->tile_ended();
  }
};

}  // namespace halfstep
