// The tiles that each ISA has, as data.
#include <doctest/doctest.h>

#include <bit>
#include <set>
#include <string>

#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

// Also of ISAs that cannot run here: nothing is called.
template <class F>
void for_each_family(F f) {
  for (const IsaState& isa : isas()) {
    for (Dtype dtype : kEachDtype) {
      const GemmFamily& family = isa.table->gemm[static_cast<std::size_t>(dtype)];
      INFO("ISA " << std::string(isa.name) << ", " << std::string(name(dtype)));
      for (const GemmFamily* one : {&family, family.by_fma, family.on_widened}) {
        if (one) f(*one, one == family.on_widened ? Dtype::fp32 : dtype);
      }
    }
  }
}

TEST_CASE("families: heights ascend from 2, and every tile within the limits is there") {
  for_each_family([](const GemmFamily& f, Dtype) {
    REQUIRE(f.shapes.panels >= 1);
    REQUIRE(f.shapes.panels <= kMostPanels);
    CHECK(f.shapes.heights[0] == 2);
    for (std::size_t h = 1; h < kMostHeights && f.shapes.heights[h] > 0; ++h) {
      CHECK(f.shapes.heights[h] > f.shapes.heights[h - 1]);
      CHECK(f.shapes.heights[h] % 2 == 0);
    }
    for (std::size_t panels = 1; panels <= f.shapes.panels; ++panels) {
      const std::set<std::size_t> heights(std::begin(f.shapes.heights), std::end(f.shapes.heights));
      CHECK(heights.contains(f.most_rows(panels)));
      for (std::size_t h = 0; h < kMostHeights; ++h) {
        const bool within = f.shapes.heights[h] > 0 && f.shapes.heights[h] <= f.most_rows(panels);
        CHECK((f.rows_tile[h][panels - 1] != nullptr) == within);
        CHECK((f.panel_tile[h][panels - 1] != nullptr) == within);
      }
    }
  });
}

TEST_CASE("families: a single row has a tile of each width up to its own limit") {
  for_each_family([](const GemmFamily& f, Dtype) {
    REQUIRE(f.first_row_panels >= 1);
    REQUIRE(f.first_row_panels <= kMostPanels);
    for (std::size_t panels = 1; panels <= kMostPanels; ++panels) {
      CHECK((f.first_row_tile[panels - 1] != nullptr) == (panels <= f.first_row_panels));
    }
  });
}

TEST_CASE("families: the tiles of any rows are few, and of like heights") {
  for_each_family([](const GemmFamily& f, Dtype) {
    for (std::size_t panels = 1; panels <= kMostPanels; ++panels) {
      const std::size_t most = f.most_rows(panels);
      for (std::size_t rows = 2; rows <= kSumRows; rows += 2) {
        std::size_t tiles = 0, low = most, high = 0;
        for (std::size_t left = rows; left > 0; ++tiles) {
          const std::size_t height = f.shapes.heights[f.next_height(panels, left)];
          REQUIRE(height <= std::min(left, most));
          left -= height;
          low = std::min(low, height);
          high = std::max(high, height);
        }
        INFO("panels " << panels << ", rows " << rows);
        CHECK(tiles <= (rows + most - 1) / most + 1);  // one more where no height fits: 14 rows are 8 and 6
        if (rows == 8 && most == 6) CHECK(low == high);
      }
    }
  });
}

TEST_CASE("families: steps of k and the left operand are those of the type") {
  for_each_family([](const GemmFamily& f, Dtype dtype) {
    CHECK(std::has_single_bit(f.k_step));
    CHECK(f.k_step >= 2);
    CHECK(f.lhs_bytes == (f.widen_lhs || dtype == Dtype::fp32 ? 4 : 2));
    CHECK(f.lhs_pair == (!f.widen_lhs && dtype == Dtype::bf16 ? 2 : 1));  // as it is stored
    if (f.on_widened) CHECK(f.on_widened->lhs_bytes == 4);
    if (f.on_widened) CHECK(f.widen_lhs);
    if (f.by_fma) CHECK_FALSE(f.by_fma->native);
  });
}

TEST_CASE("families: a table has both hooks or none") {
  for (const IsaState& isa : isas()) CHECK((isa.table->enter == nullptr) == (isa.table->leave == nullptr));
}

}  // namespace
