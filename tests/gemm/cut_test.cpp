#include "gemm/cut.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "gemm/scratch.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

TEST_CASE("cut: every row and panel belongs to one task, within the limits") {
  for (const std::size_t grain : {kSumRows, std::size_t{16}, std::size_t{6}, std::size_t{2}}) {
    for (const std::size_t most : {kSumRows, 2 * kSumRows, Scratch::kTaskRows}) {
      for (const int threads : {1, 2, 3, 16}) {
        for (const std::size_t rows :
             {0u, 2u, 30u, 48u, 50u, 94u, 96u, 98u, 100u, 142u, 144u, 286u, 394u, 1024u, 4098u}) {
          for (const std::size_t panels : {0u, 1u, 2u, 4u, 5u, 9u, 49u, 256u}) {
            const Cut cut = best_cut({rows, panels, most, grain, threads});
            INFO("rows " << rows << ", panels " << panels << ", most " << most << ", grain " << grain << ", threads "
                         << threads);
            if (rows == 0 || panels == 0) {
              CHECK(cut.row_tasks * cut.blocks == 0);
              continue;
            }
            bool good = cut.row_begin(0) == 0 && cut.row_begin(cut.row_tasks) == rows && cut.panel_begin(0) == 0 &&
                        cut.panel_begin(cut.blocks) == panels;
            for (std::size_t i = 0; i < cut.row_tasks; ++i) {
              const std::size_t size = cut.row_begin(i + 1) - cut.row_begin(i);
              good = good && size > 0 && size <= most && cut.row_begin(i) % grain == 0;
            }
            for (std::size_t i = 0; i < cut.blocks; ++i) {
              const std::size_t size = cut.panel_begin(i + 1) - cut.panel_begin(i);
              good = good && size > 0 && size * kLanes <= kBlockColumns;
            }
            CHECK(good);
          }
        }
      }
    }
  }
}

TEST_CASE("cut: threads get even shares where rows or columns allow it") {
  const auto cut = [](std::size_t rows, std::size_t panels, std::size_t grain) {
    const Cut c = best_cut({rows, panels, Scratch::kTaskRows, grain, 2});
    return std::pair(c.row_tasks, c.blocks);
  };
  CHECK(cut(128, 4, kSumRows) == std::pair<std::size_t, std::size_t>(1, 2));   // 48 and 80 rows would be less even
  CHECK(cut(128, 4, 16) == std::pair<std::size_t, std::size_t>(2, 1));         // wide tiles where rows can be halved
  CHECK(cut(100, 9, kSumRows) == std::pair<std::size_t, std::size_t>(2, 3));   // 48 and 52 rows, 3 panels each
  CHECK(cut(128, 32, kSumRows) == std::pair<std::size_t, std::size_t>(1, 8));  // even as it is
}

}  // namespace
