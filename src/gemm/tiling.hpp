// Runs tiles of the sizes that the ISA has.
#pragma once
#include <algorithm>
#include <cstddef>

#include "gemm/layout.hpp"
#include "gemm/side_tasks.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// Some panels of the right operand over one block of k, times any rows of the left one.
struct TileCall {
  const GemmFamily& family;
  const GemmFamily* on_widened;  // of the tiles that find the right operand converted by the first; null: none do
  bool lhs_panel;                // lhs in panels, else in rows
  std::size_t k;
  std::size_t lhs_stride;  // 4-byte units
  const void* rhs;
  const void* next_rhs;    // that of the next call, prefetched into L2: as many panels, as far apart
  std::size_t rhs_stride;  // elements
  std::size_t element;
  std::size_t panels;
  float* widened;  // [4 * widened_panel(k)], where there is on_widened
  std::size_t ldc;
  bool accumulate;
  SideShare* side = nullptr;  // says what tiles prefetch beyond next_rhs
  bool first_row = false;     // only the first row counts; the sums of the second become zero

  // Panels off powers of two: in distinct cache sets.
  static constexpr std::size_t widened_panel(std::size_t k) { return (k + 1) * kLanes; }

  // The tiles of a call are numbered from 0.
  const GemmFamily& family_of(std::size_t number) const { return on_widened && number > 0 ? *on_widened : family; }

  struct Tile {
    std::size_t height, rows;  // index in TileShapes::heights, and what stands there
  };
  // The next tile, where so many rows (even, at most kSumRows) are left.
  Tile next(std::size_t number, std::size_t rows) const {
    const GemmFamily& f = family_of(number);
    const std::size_t height = f.next_height(panels, rows);
    return {height, f.shapes.heights[height]};
  }
  void run(std::size_t number, std::size_t height, const void* lhs, float* c) const {
    first_row ? run_first_row(lhs, c) : run_rows(number, height, lhs, c);
    if (side) side->tile_ended();
  }

 private:
  void run_first_row(const void* lhs, float* c) const {
    for (std::size_t p = 0; p < panels; p += family.first_row_panels) {
      const std::size_t count = std::min(family.first_row_panels, panels - p);
      family.first_row_tile[count - 1]({.k = k,
                                        .lhs = lhs,
                                        .lhs_stride = lhs_stride,
                                        .rhs = at(rhs, p * rhs_stride * element),
                                        .rhs_stride = rhs_stride,
                                        .c = c + p * kLanes,
                                        .ldc = ldc,
                                        .accumulate = accumulate,
                                        .widened = nullptr,
                                        .widened_stride = 0,
                                        .widened_step = 0,
                                        .ahead = nullptr});
    }
    std::fill_n(c + ldc, panels * kLanes, 0.0f);
    // The next call begins with panels that no stream leads to: they come while these sums are finished.
    constexpr std::size_t kLines = 4;
    for (std::size_t p = 0; p < panels; ++p) {
      const std::byte* const begin = at(next_rhs, p * rhs_stride * element);
      for (std::size_t line = 0; line < kLines; ++line) __builtin_prefetch(begin + line * kCacheLine);
    }
  }
  void run_rows(std::size_t number, std::size_t height, const void* lhs, float* c) const {
    const bool converted = on_widened && number > 0;
    const GemmFamily& f = family_of(number);
    // A tile prefetches k/2 lines: a panel of 16-bit values, or half of one in fp32.
    const bool halves = element == sizeof(float);
    const std::size_t fetched = halves ? number / 2 : number, offset = halves && number % 2 == 1 ? k / 2 * 64 : 0;
    for (std::size_t p = 0; p < panels; p += f.shapes.panels) {
      const std::size_t count = std::min(f.shapes.panels, panels - p);
      // Past the last panel the tiles prefetch for side tasks, or the last one again.
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
           .widened_step = on_widened ? 2 * kLanes : 0,
           .ahead = ahead});
    }
  }
};

}  // namespace halfstep::internal
