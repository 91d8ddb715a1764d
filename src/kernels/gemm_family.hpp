// The tiles of a matrix product that an ISA has for one storage type: their sizes as data, their functions as pointers.
#pragma once
#include <cstddef>
#include <cstdint>

namespace halfstep::internal {

inline constexpr std::size_t kLanes = 16;         // virtual lanes of every reduction, and the width of a panel
inline constexpr std::size_t kBlockColumns = 64;  // columns of a weight block and of a fp32 tile buffer
// Column sums are taken over chunks of this many rows, then over chunks: one tree for every ISA and thread count. No
// tile crosses the border of a chunk.
inline constexpr std::size_t kSumRows = 48;
constexpr std::size_t sum_chunks(std::size_t rows) { return (rows + kSumRows - 1) / kSumRows; }

// c[rows][16*panels] (+)= lhs[rows][k] * rhs[k][16*panels], k ascending, bf16 pairs odd k first; one fma a product,
// fp32, unless GemmFamily::native. lhs: element (i, k) at i*lhs_stride + k (rows form) or at k*16 + i (panel form), as
// stored, bf16 in pairs, or where GemmFamily::widen_lhs says so as widen_rows or widen_panel leave it; strides count
// 4-byte units. rhs: panels, rhs_stride elements apart.
struct TileOperands {
  std::size_t k;  // even
  const void* lhs;
  std::size_t lhs_stride;
  const void* rhs;
  std::size_t rhs_stride;
  float* c;
  std::size_t ldc;
  bool accumulate;
  float* widened;              // where there is a GemmFamily::on_widened: receives rhs as fp32 for it, in panels
  std::size_t widened_stride;  // from one of these panels to the next
  std::size_t widened_step;    // floats from two k to the next two: 32, or 0 where nobody will read them
  const std::byte* ahead;  // k/2 cache lines from here on are prefetched into L2 meanwhile: what the next task reads
};
using TileFunction = void (*)(const TileOperands&);

inline constexpr std::size_t kMostPanels = kBlockColumns / kLanes;  // of a tile
inline constexpr std::size_t kMostHeights = 8;                      // kinds of tiles of one width

// The sizes of the tiles of one ISA and storage type.
struct TileShapes {
  std::size_t panels;                   // of the widest tile
  std::uint8_t most_rows[kMostPanels];  // of a tile of so many panels [panels - 1]: one of `heights`
  std::uint8_t heights[kMostHeights] = {2, 4, 6, 8, 10, 12, 16};  // rows of tiles, even, 2 first, ascending; 0: none
};

// Heights of the tiles that cover some rows: as few tiles as possible, of like heights (8 rows with at most 6 a tile
// are 4 + 4, not 6 + 2). Worked out when compiled: it is looked up at every tile.
struct TileCover {
  std::uint8_t next[kMostPanels][kSumRows / 2 + 1];  // [panels - 1][rows / 2]: index in heights of the first tile

  static constexpr std::uint8_t first_of(const TileShapes& shapes, std::size_t most, std::size_t rows) {
    for (std::size_t tiles = (rows + most - 1) / most;; ++tiles) {
      std::uint8_t height = 0;
      while (shapes.heights[height] * tiles < rows) ++height;
      if (shapes.heights[height] <= (rows < most ? rows : most)) return height;
    }
  }
  static constexpr TileCover of(const TileShapes& shapes) {
    TileCover cover = {};
    for (std::size_t panels = 1; panels <= shapes.panels; ++panels) {
      for (std::size_t rows = 2; rows <= kSumRows; rows += 2) {
        cover.next[panels - 1][rows / 2] = first_of(shapes, shapes.most_rows[panels - 1], rows);
      }
    }
    return cover;
  }
};

struct GemmFamily {
  TileShapes shapes;
  TileCover cover;
  std::size_t
      k_step;  // k of one turn of a tile's loop, a power of two: blocks of k are multiples of it, all but the last
  std::size_t lhs_bytes;         // of a value of lhs as tiles read it: 4 (fp32), or 2 as stored
  std::size_t lhs_pair;          // k that lie side by side in a panel of lhs: 2 where tiles read pairs, else 1
  bool widen_lhs;                // tiles read lhs as fp32: convert a block of it first
  bool native;                   // rounds as the CPU's instruction does, not as all ISAs do
  const GemmFamily* on_widened;  // tiles for the right operand that one of these has left as fp32; null: none is left
  const GemmFamily* by_fma;      // in place of these where the CPU's instruction is slow (cpu.hpp); null: nothing is
  TileFunction rows_tile[kMostHeights][kMostPanels];   // [index in heights][panels - 1], lhs row-major
  TileFunction panel_tile[kMostHeights][kMostPanels];  // lhs in panels
  // For two rows of which only the first counts, a batch of one: [panels - 1], lhs row-major. It waits for the right
  // operand, which is read once, so it prefetches nothing and leaves nothing widened; c has room for the second row.
  TileFunction first_row_tile[kMostPanels];
  std::size_t first_row_panels;  // of the widest of them

  std::size_t most_rows(std::size_t panels) const {
    return shapes.most_rows[(panels < shapes.panels ? panels : shapes.panels) - 1];
  }
  // Index in shapes.heights of the next tile, where so many panels and rows (even, at most kSumRows) are left.
  std::size_t next_height(std::size_t panels, std::size_t rows) const {
    return cover.next[(panels < shapes.panels ? panels : shapes.panels) - 1][rows / 2];
  }
};

}  // namespace halfstep::internal
