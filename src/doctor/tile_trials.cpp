#include "doctor/tile_trials.hpp"

#include <cmath>
#include <cstring>
#include <string>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "doctor/special_values.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kRows = kLanes;  // at most, of a tile
constexpr std::size_t kLongest = 38;   // k
constexpr std::size_t kLengths[] = {6, kLongest};
constexpr std::size_t kLd = 48;                    // of lhs in rows: whole lanes
constexpr std::size_t kPanel = kLongest * kLanes;  // elements from a panel of rhs to the next
constexpr std::size_t kRounds = kBlockColumns;     // in each, a special number in another column
using Sums = float[kRows][kBlockColumns];

// What tiles multiply, stored: lhs in rows and as one panel, rhs in panels.
class TileOperandsOf {
 public:
  TileOperandsOf(Dtype dtype, std::size_t round) : dtype_(dtype), rows_(kRows * kLd), panel_(kPanel), rhs_(4 * kPanel) {
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t k = 0; k < kLongest; ++k) set_lhs(i, k, code_of(dtype, ordinary(1, i * kLongest + k)));
    }
    for (std::size_t c = 0; c < kBlockColumns; ++c) {
      for (std::size_t k = 0; k < kLongest; ++k) set_rhs(k, c, code_of(dtype, ordinary(2, c * kLongest + k)));
    }
    if (round == 0) return;
    // At small k, where every length sees them.
    set_lhs(round % kRows, round % 2, special_code(dtype, 5 * round));
    set_rhs((round + 1) % 2, round, special_code(dtype, round));
    set_rhs(kLongest - 1, (round + 23) % kBlockColumns, special_code(dtype, 3 * round));
    set_rhs(round / 3 % 2, (round + 7) % kBlockColumns, special_code(dtype, round + kSpecials / 2));
  }

  const void* rows() const { return rows_.data(); }
  const void* panel() const { return panel_.data(); }
  const void* rhs(std::size_t first_panel) const { return at(rhs_, first_panel * kPanel); }

 private:
  // kernels/table.hpp: pairs of bf16 lie together.
  std::size_t in_panel(std::size_t k, std::size_t lane) const {
    return dtype_ == Dtype::bf16 ? k / 2 * 2 * kLanes + 2 * lane + k % 2 : k * kLanes + lane;
  }
  const void* at(const AlignedBuffer<std::uint32_t>& words, std::size_t element) const {
    return reinterpret_cast<const std::byte*>(words.data()) + element * size_of(dtype_);
  }
  void put(AlignedBuffer<std::uint32_t>& words, std::size_t element, std::uint32_t code) {
    std::memcpy(reinterpret_cast<std::byte*>(words.data()) + element * size_of(dtype_), &code, size_of(dtype_));
  }
  void set_lhs(std::size_t i, std::size_t k, std::uint32_t code) {
    put(rows_, i * kLd + k, code);
    put(panel_, in_panel(k, i), code);
  }
  void set_rhs(std::size_t k, std::size_t column, std::uint32_t code) {
    put(rhs_, column / kLanes * kPanel + in_panel(k, column % kLanes), code);
  }

  Dtype dtype_;
  AlignedBuffer<std::uint32_t> rows_, panel_, rhs_;  // room for any type
};

// Where tiles get their left operand: as it is stored, or as fp32.
struct Left {
  const void* data;
  std::size_t stride;
};

// What a thread does around its tiles.
struct AmongTiles {
  explicit AmongTiles(const KernelTable& table) : kernels(table) {
    if (kernels.enter) kernels.enter();
  }
  ~AmongTiles() {
    if (kernels.leave) kernels.leave();
  }
  AmongTiles(const AmongTiles&) = delete;
  AmongTiles& operator=(const AmongTiles&) = delete;
  const KernelTable& kernels;
};

class TileTrials {
 public:
  TileTrials(Dtype dtype, const KernelTable& reference, std::vector<TableUnderTest>& tables)
      : dtype_(dtype), reference_(reference), tables_(tables), lhs_(kRows * kLd), widened_(kMostPanels * kPanel) {
    for (std::size_t round = 0; round < kRounds; ++round) operands_.emplace_back(dtype, round);
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = 0; j < kBlockColumns; ++j) start_.sums[i][j] = ordinary(3, i * kBlockColumns + j);
    }
  }

  void run() {
    wanted_.resize(std::size(kLengths) * kRounds);
    {
      const AmongTiles entered(reference_);
      for (std::size_t trial = 0; trial < wanted_.size(); ++trial) fill_wanted(trial);
    }
    for (TableUnderTest& table : tables_) {
      const AmongTiles entered(table.kernels);
      const GemmFamily& family = table.kernels.gemm[index_of(dtype_)];
      try_family(table, family, "gemm");
      if (family.by_fma) try_family(table, *family.by_fma, "gemm.by_fma");
    }
  }

 private:
  struct alignas(kCacheLine) Block {
    Sums sums;
  };
  // A trial is a length and a round.
  std::size_t length(std::size_t trial) const { return kLengths[trial / kRounds]; }
  const TileOperandsOf& operands(std::size_t trial) const { return operands_[trial % kRounds]; }
  static bool accumulates(std::size_t trial) { return trial % 2 == 1; }
  void start(Sums& c) const { std::memcpy(c, start_.sums, sizeof c); }

  Left left_rows(const KernelTable& kernels, const GemmFamily& family, std::size_t trial) {
    if (!family.widen_lhs) return {operands(trial).rows(), kLd * family.lhs_bytes / sizeof(float)};
    kernels.widen_rows[index_of(dtype_)](kRows, (length(trial) + kLanes - 1) / kLanes * kLanes, operands(trial).rows(),
                                         kLd, lhs_.data(), kLd);
    return {lhs_.data(), kLd};
  }
  Left left_panel(const KernelTable& kernels, const GemmFamily& family, std::size_t trial) {
    if (!family.widen_lhs) return {operands(trial).panel(), 1};
    kernels.widen_panel[index_of(dtype_)](length(trial), operands(trial).panel(), lhs_.data());
    return {lhs_.data(), 1};
  }
  TileOperands tile_of(std::size_t trial, const Left& left, Sums& c) {
    return {.k = length(trial),
            .lhs = left.data,
            .lhs_stride = left.stride,
            .rhs = operands(trial).rhs(0),
            .rhs_stride = kPanel,
            .c = c[0],
            .ldc = kBlockColumns,
            .accumulate = accumulates(trial),
            .widened = widened_.data(),
            .widened_stride = kPanel,
            .widened_step = 2 * kLanes,
            .ahead = static_cast<const std::byte*>(operands(trial).rhs(0))};
  }

  void fill_wanted(std::size_t trial) {
    const GemmFamily& family = reference_.gemm[index_of(dtype_)];
    Sums& c = wanted_[trial].sums;
    start(c);
    const Left left = left_rows(reference_, family, trial);
    const std::size_t row = left.stride * sizeof(float);
    for (std::size_t i = 0; i < kRows; i += 2) {
      for (std::size_t p = 0; p < kMostPanels; ++p) {
        TileOperands t = tile_of(trial, {static_cast<const std::byte*>(left.data) + i * row, left.stride}, c);
        t.rhs = operands(trial).rhs(p);
        t.c = &c[i][p * kLanes];
        family.rows_tile[0][0](t);
      }
    }
  }

  void try_family(TableUnderTest& table, const GemmFamily& family, const std::string& name) {
    for (std::size_t panels = 1; panels <= kMostPanels; ++panels) {
      for (std::size_t h = 0; h < kMostHeights; ++h) {
        const std::size_t rows = family.shapes.heights[h];
        const std::string size = "[" + std::to_string(rows) + "x" + std::to_string(panels) + "]";
        const auto test = [&](TileFunction tile, const char* form, bool panel, const GemmFamily* first) {
          if (tile) try_tile(table, family, name + form + size, tile, rows, panels, panel, first);
        };
        test(family.rows_tile[h][panels - 1], ".rows_tile", false, nullptr);
        test(family.panel_tile[h][panels - 1], ".panel_tile", true, nullptr);
        if (!family.on_widened) continue;
        test(family.on_widened->rows_tile[h][panels - 1], ".on_widened.rows_tile", false, &family);
        test(family.on_widened->panel_tile[h][panels - 1], ".on_widened.panel_tile", true, &family);
      }
      if (const TileFunction tile = family.first_row_tile[panels - 1]) {
        try_tile(table, family, name + ".first_row_tile[1x" + std::to_string(panels) + "]", tile, 1, panels, false,
                 nullptr);
      }
    }
  }

  // `first`: its smallest tiles convert the right operand for this one.
  void try_tile(TableUnderTest& table, const GemmFamily& family, const std::string& name, TileFunction tile,
                std::size_t rows, std::size_t panels, bool panel, const GemmFamily* first) {
    for (std::size_t trial = 0; trial < wanted_.size() && !table.failed; ++trial) {
      Block block;
      Sums& c = block.sums;
      start(c);
      const Left left = panel ? left_panel(table.kernels, family, trial) : left_rows(table.kernels, family, trial);
      TileOperands t = tile_of(trial, left, c);
      if (first) {
        for (std::size_t p = 0; p < panels; ++p) {
          t.rhs = operands(trial).rhs(p);
          t.widened = widened_.data() + p * kPanel;
          (panel ? first->panel_tile : first->rows_tile)[0][0](t);
        }
        t.rhs = widened_.data();
        start(c);
      }
      tile(t);
      ++table.check.calls;
      compare(table, name, trial, c, rows, panels, family.native);
    }
    table.kernel_ended();
  }

  void compare(TableUnderTest& table, const std::string& name, std::size_t trial, const Sums& c, std::size_t rows,
               std::size_t panels, bool native) const {
    for (std::size_t i = 0; i < kRows; ++i) {
      if (rows == 1 && i == 1) continue;  // a tile of one row may write a second
      for (std::size_t j = 0; j < kBlockColumns; ++j) {
        const bool inside = i < rows && j < panels * kLanes;
        const float got = c[i][j], wanted = inside ? wanted_[trial].sums[i][j] : start_.sums[i][j];
        if (std::bit_cast<std::uint32_t>(got) == std::bit_cast<std::uint32_t>(wanted)) continue;
        if (std::isnan(got) && std::isnan(wanted)) continue;
        if (inside && native && is_near(got, wanted)) continue;
        table.failure({{},
                       name,
                       dtype_,
                       length(trial),
                       i * kBlockColumns + j,
                       bits_text(std::bit_cast<std::uint32_t>(got), 4),
                       bits_text(std::bit_cast<std::uint32_t>(wanted), 4)});
        return;
      }
    }
  }

  // Sums of products that are rounded in another order or way. Where they leave the range of fp32 on their way, one may
  // be infinite and the other not.
  static bool is_near(float got, float wanted) {
    if (std::isnan(wanted)) return !std::isfinite(got);
    if (!std::isfinite(got) || !std::isfinite(wanted)) return std::fabs(wanted) > 1e37f;
    return std::fabs(got - wanted) <= 1e-4f * (1 + std::fabs(wanted));
  }

  Dtype dtype_;
  const KernelTable& reference_;
  std::vector<TableUnderTest>& tables_;
  std::vector<TileOperandsOf> operands_;
  Block start_;  // what sums are added to
  std::vector<Block> wanted_;
  AlignedBuffer<float> lhs_, widened_;
};

}  // namespace

void try_tiles(const KernelTable& reference, std::vector<TableUnderTest>& tables) {
  for (const Dtype dtype : {Dtype::fp32, Dtype::bf16, Dtype::fp16}) TileTrials(dtype, reference, tables).run();
}

}  // namespace halfstep::internal
