// Plans of products: known ones, and what must hold of all of them.
#include "gemm/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "gemm/plan_cache.hpp"
#include "gemm/tiling.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr CacheSizes kCaches = {.l1 = std::size_t{32} << 10, .l2 = std::size_t{1} << 20};

struct NamedFamily {
  const char* name;
  GemmFamily family;
  std::size_t element;
};

GemmFamily family_of(const TileShapes& shapes, std::size_t k_step, std::size_t lhs_bytes, bool widens) {
  GemmFamily f = {};
  f.shapes = shapes;
  f.cover = TileCover::of(shapes);
  f.k_step = k_step;
  f.lhs_bytes = lhs_bytes;
  f.lhs_pair = lhs_bytes == 2 ? 2 : 1;
  f.widen_lhs = widens;
  return f;
}

constexpr TileShapes kNarrow = {.panels = 1, .most_rows = {6}};
constexpr TileShapes kWide = {.panels = 4, .most_rows = {16, 12, 8, 6}};
// As a unit with tiles in hardware may have them: taller, of few heights, with a long step of k.
constexpr TileShapes kTall = {.panels = 2, .most_rows = {32, 32}, .heights = {2, 4, 8, 16, 32}};

const GemmFamily kNarrow32 = family_of(kNarrow, 4, 4, false);
const NamedFamily kFamilies[] = {
    {"narrow fp32", kNarrow32, 4},
    {"narrow, converts",
     [] {
       GemmFamily f = family_of(kNarrow, 4, 4, true);
       f.on_widened = &kNarrow32;
       return f;
     }(),
     2},
    {"wide fp32", family_of(kWide, 2, 4, false), 4},
    {"wide, as stored", family_of(kWide, 2, 2, false), 2},
    {"wide, converts", family_of({.panels = 2, .most_rows = {16, 12}}, 2, 4, true), 2},
    {"tall, as stored", family_of(kTall, 32, 2, false), 2},
};
const GemmFamily& kConverting = kFamilies[1].family;
const GemmFamily& kStored = kFamilies[3].family;
const GemmFamily& kTallStored = kFamilies[5].family;

TEST_CASE("plan: known products") {
  // Converted rows are kept for eight tasks, one for each 64 columns.
  const RowsPlan hidden = {.cut = {.rows = 128, .grain = 48, .row_tasks = 1, .panels = 32, .blocks = 8},
                           .columns = 512,
                           .k = 784,
                           .k_block = 784,
                           .task_blocks = 1,
                           .block_tasks = 8,
                           .tasks = 8,
                           .threads = 2,
                           .widens_rows = true,
                           .keeps_rows = true,
                           .finishes_each_tile = true,
                           .side_apart = false};
  CHECK(plan_rows({&kConverting, 128, 512, 784, 2, 6, 2}, kCaches) == hidden);
  RowsPlan alone = hidden;
  alone.threads = 1;
  CHECK(plan_rows({&kConverting, 128, 512, 784, 2, 6, 1}, kCaches) == alone);
  // There are too many of them to be kept: a task has all columns, and converts a block of k at a time.
  const RowsPlan deep = {.cut = {.rows = 1024, .grain = 48, .row_tasks = 12, .panels = 32, .blocks = 8},
                         .columns = 512,
                         .k = 4096,
                         .k_block = 1024,
                         .task_blocks = 8,
                         .block_tasks = 1,
                         .tasks = 12,
                         .threads = 2,
                         .widens_rows = true,
                         .keeps_rows = false,
                         .finishes_each_tile = true,
                         .side_apart = false};
  CHECK(plan_rows({&kConverting, 1024, 512, 4096, 2, 48, 2}, kCaches) == deep);
  // One block of columns: rows are cut finer than chunks of sums, so that both threads have some.
  const RowsPlan logits = {.cut = {.rows = 128, .grain = 6, .row_tasks = 2, .panels = 1, .blocks = 1},
                           .columns = 10,
                           .k = 512,
                           .k_block = 256,
                           .task_blocks = 1,
                           .block_tasks = 1,
                           .tasks = 2,
                           .threads = 2,
                           .widens_rows = true,
                           .keeps_rows = false,
                           .finishes_each_tile = true,
                           .side_apart = true};
  CHECK(plan_rows({&kConverting, 128, 10, 512, 2, 6, 2}, kCaches) == logits);
  // Short sums: a task for each thread.
  const RowsPlan narrow = {.cut = {.rows = 4096, .grain = 48, .row_tasks = 1, .panels = 8, .blocks = 2},
                           .columns = 128,
                           .k = 16,
                           .k_block = 16,
                           .task_blocks = 1,
                           .block_tasks = 2,
                           .tasks = 2,
                           .threads = 2,
                           .widens_rows = true,
                           .keeps_rows = true,
                           .finishes_each_tile = false,
                           .side_apart = true};
  CHECK(plan_rows({&kConverting, 4096, 128, 16, 2, 48, 2}, kCaches) == narrow);
}

TEST_CASE("plan: what the tiles of an ISA want shows") {
  // Rows are read as they are stored.
  const RowsPlan stored = {.cut = {.rows = 1024, .grain = 48, .row_tasks = 8, .panels = 64, .blocks = 16},
                           .columns = 1024,
                           .k = 3000,
                           .k_block = 1504,
                           .task_blocks = 1,
                           .block_tasks = 16,
                           .tasks = 128,
                           .threads = 2,
                           .widens_rows = false,
                           .keeps_rows = false,
                           .finishes_each_tile = true,
                           .side_apart = false};
  CHECK(plan_rows({&kStored, 1024, 1024, 3000, 2, 16, 2}, kCaches) == stored);
  CHECK(plan_rows({&kTallStored, 1024, 1024, 3000, 2, 16, 2}, kCaches) == stored);
  // Half of 3100 is 1550, to the next multiple of 16, or of a long step.
  CHECK(plan_rows({&kStored, 1024, 1024, 3100, 2, 16, 2}, kCaches).k_block == 1552);
  CHECK(plan_rows({&kTallStored, 1024, 1024, 3100, 2, 16, 2}, kCaches).k_block == 1568);
  CHECK(plan_rows({&kTallStored, 1024, 1024, 3000, 2, 16, 2}, kCaches).tiles(kTallStored, 128) == 8);
  CHECK(plan_rows({&kStored, 1024, 1024, 3000, 2, 16, 2}, kCaches).tiles(kStored, 128) == 44);
}

TEST_CASE("plan of a weight gradient: known ones") {
  const WeightLayout hidden = {.out = 512, .in = 784};
  // A converted strip serves five blocks of columns, or on one thread all of them.
  StripsPlan plan = {.strips = 32,
                     .blocks = 13,
                     .k = 128,
                     .k_block = 1024,
                     .task_strips = 8,
                     .task_blocks = 5,
                     .block_tasks = 3,
                     .tasks = 12,
                     .threads = 2,
                     .widens_strips = true};
  CHECK(plan_strips({&kConverting, 128, hidden, 2}) == plan);
  plan.task_blocks = 13, plan.block_tasks = 1, plan.tasks = 4, plan.threads = 1;
  CHECK(plan_strips({&kConverting, 128, hidden, 1}) == plan);
  plan.k = 2048, plan.task_blocks = 1, plan.block_tasks = 13, plan.tasks = 52, plan.threads = 2;
  plan.widens_strips = false;
  CHECK(plan_strips({&kStored, 2048, hidden, 2}) == plan);
}

// What is wrong with a plan, of the things that must hold of all of them; empty: nothing.
class PlanCheck {
 public:
  PlanCheck(const RowsRequest& request, const RowsPlan& plan) : r_(request), p_(plan) {}

  std::string wrong() {
    if (p_.k_block % std::max(kLanes, r_.family->k_step) != 0) return "blocks of k end between two steps";
    if (p_.cut.grain != kSumRows && p_.cut.grain != r_.row_grain) return "another grain";
    if (p_.threads != 1 && p_.threads != r_.threads) return "another number of threads";
    std::vector<int> owners(r_.rows / 2 * p_.cut.panels);
    for (std::size_t task = 0; task < p_.tasks; ++task) {
      if (std::string why = wrong_task(p_.task(task), owners); !why.empty()) return why;
    }
    const auto owned = std::count(owners.begin(), owners.end(), 1);
    return owned == std::ssize(owners) ? "" : "a place of the result has no task, or two";
  }

 private:
  std::string wrong_task(const RowsTask& t, std::vector<int>& owners) const {
    if (t.rows() == 0 || t.row_begin % p_.cut.grain != 0 || t.row_end > r_.rows) return "rows off the grain";
    for (std::size_t block = t.block_begin; block < t.block_end; ++block) {
      const std::size_t begin = p_.cut.panel_begin(block), end = p_.cut.panel_begin(block + 1);
      if (begin * kLanes >= r_.columns || end <= begin || end - begin > kMostPanels) return "a block of no columns";
      for (std::size_t row = t.row_begin; row < t.row_end; row += 2) {
        for (std::size_t panel = begin; panel < end; ++panel) ++owners[row / 2 * p_.cut.panels + panel];
      }
      if (std::string why = wrong_sums(t, block, end - begin); !why.empty()) return why;
    }
    return p_.widens_rows ? wrong_conversion(t) : "";
  }
  // Goes through the tiles of a block as a task does.
  std::string wrong_sums(const RowsTask& t, std::size_t block, std::size_t panels) const {
    std::size_t free = (block - t.block_begin) * Scratch::kTaskRows * kBlockColumns;  // behind the sums before
    for (std::size_t row = t.row_begin, first = row; row < t.row_end;) {
      const std::size_t left = std::min(t.row_end - row, kSumRows - row % kSumRows);
      const std::size_t rows = r_.family->shapes.heights[r_.family->next_height(panels, left)];
      if (rows == 0 || rows % 2 != 0 || rows > left || rows > r_.family->most_rows(panels)) return "a tile too high";
      row += rows;
      if (rows < left && !p_.finishes_each_tile) continue;
      const std::size_t begin = p_.sums_place(t, block, first), end = begin + (row - first) * kBlockColumns;
      if (end > Scratch::kSumFloats) return "sums beyond their scratch memory";
      if (!p_.one_k_block() && begin < free) return "sums on those of other rows";
      free = end;
      first = row;
    }
    return "";
  }
  // Rows of one block of k after the other; those that are kept must not meet.
  std::string wrong_conversion(const RowsTask& t) const {
    std::size_t free = 0;
    for (std::size_t k0 = 0; k0 < p_.k; k0 += p_.k_block) {
      const std::size_t k = std::min(p_.k_block, p_.k - k0), step = p_.converted_step(k);
      const std::size_t begin = p_.converted_begin(t, k0), written = round_up(k, kLanes);
      if (p_.keeps_rows && begin < free) return "kept rows on those of another block of k";
      if (p_.one_block() ? step != 0 : step < written) return "rows on those before";
      free = begin + (t.rows() - 1) * step + written;
      if (free > Scratch::kLhsFloats) return "rows beyond their scratch memory";
      if (kMostPanels * TileCall::widened_panel(k) > Scratch::kRhsFloats) return "panels beyond their scratch memory";
    }
    return "";
  }

  const RowsRequest& r_;
  const RowsPlan& p_;
};

template <class F>
void for_each_request(F f) {
  for (const NamedFamily& named : kFamilies) {
    for (const int threads : {1, 2, 3, 16}) {
      for (const std::size_t rows : {2u, 14u, 50u, 128u, 434u, 1024u, 4098u}) {
        for (const std::size_t columns : {1u, 33u, 64u, 70u, 512u, 1500u}) {
          for (const std::size_t k : {1u, 32u, 190u, 784u, 1030u, 4099u}) {
            for (const std::size_t grain : {named.family.most_rows(1), kSumRows}) {
              f(named.name, RowsRequest{&named.family, rows, columns, k, named.element, grain, threads});
            }
          }
        }
      }
    }
  }
}

TEST_CASE("plan: every row and column belongs to one task, and scratch memory suffices") {
  for (const std::size_t l2 : {std::size_t{128} << 10, std::size_t{2} << 20}) {
    for_each_request([&](const char* name, const RowsRequest& r) {
      const RowsPlan plan = plan_rows(r, {.l1 = kCaches.l1, .l2 = l2});
      const std::string wrong = PlanCheck(r, plan).wrong();
      CHECK_MESSAGE(wrong.empty(), std::string(name), " rows ", r.rows, " columns ", r.columns, " k ", r.k, " grain ",
                    r.row_grain, " threads ", r.threads, ": ", wrong);
    });
  }
}

TEST_CASE("plan: no rows are no tasks, and side tasks still run") {
  const RowsPlan plan = plan_rows({&kStored, 0, 64, 64, 2, 16, 2}, kCaches);
  CHECK(plan.tasks == 0);
  CHECK(plan.side_apart);
}

TEST_CASE("plan: a short product stays on one thread, a long one gives each thread some tasks") {
  CHECK(plan_rows({&kStored, 2, 16, 16, 2, 16, 4}, kCaches).threads == 1);
  for_each_request([&](const char* name, const RowsRequest& r) {
    if (r.rows < 1024 || r.columns < 512 || r.k < 190) return;
    const RowsPlan plan = plan_rows(r, kCaches);
    CHECK_MESSAGE(plan.threads == r.threads, std::string(name));
    CHECK_MESSAGE(plan.tasks >= 2 * static_cast<std::size_t>(r.threads), std::string(name));
  });
}

TEST_CASE("plan: the last ones are remembered, each for its own request") {
  PlanCache cache;
  std::vector<RowsRequest> requests;
  for (std::size_t rows = 2; rows < 200; rows += 2) {
    for (const GemmFamily* family : {&kConverting, &kStored}) {
      for (const int threads : {1, 2}) requests.push_back({family, rows, 70, 300, 2, 48, threads});
    }
    requests.push_back({&kStored, 50, 70, 16 * rows, 2, 48, 2});
    requests.push_back({&kStored, 50, 16 * rows, 70, 2, 48, 2});
  }
  for (int round = 0; round < 2; ++round) {
    for (const RowsRequest& r : requests) CHECK(cache.rows(r, kCaches) == plan_rows(r, kCaches));
  }
}

TEST_CASE("plan: the products of many layers are remembered at a time") {
  PlanCache cache;
  std::vector<const RowsPlan*> made;
  const auto request = [](std::size_t i) { return RowsRequest{&kStored, 128, 64 + 16 * i, 512, 2, 16, 2}; };
  for (std::size_t i = 0; i < 40; ++i) made.push_back(&cache.rows(request(i), kCaches));
  CHECK(std::set(made.begin(), made.end()).size() == made.size());
  for (std::size_t i = 0; i < 40; ++i) CHECK(&cache.rows(request(i), kCaches) == made[i]);
}

TEST_CASE("plan of a weight gradient: every strip and block belongs to one task, and scratch memory suffices") {
  for (const NamedFamily& named : kFamilies) {
    for (const int threads : {1, 2, 3, 16}) {
      for (const std::size_t rows : {0u, 2u, 48u, 1024u, 1026u, 5000u}) {
        for (const std::size_t out : {1u, 10u, 33u, 512u, 1500u}) {
          for (const std::size_t in : {1u, 64u, 70u, 784u, 3000u}) {
            const WeightLayout layout = {.out = out, .in = in};
            const StripsPlan plan = plan_strips({&named.family, rows, layout, threads});
            INFO(named.name << " rows " << rows << " out " << out << " in " << in << " threads " << threads);
            CHECK(plan.k_block % named.family.k_step == 0);
            std::vector<int> owners(layout.strips() * layout.blocks());
            bool good = true;
            for (std::size_t i = 0; i < plan.tasks; ++i) {
              const StripsTask t = plan.task(i);
              good = good && t.strip_begin < t.strip_end && t.block_begin < t.block_end;
              for (std::size_t s = t.strip_begin; s < t.strip_end; ++s) {
                for (std::size_t b = t.block_begin; b < t.block_end; ++b) ++owners[s * layout.blocks() + b];
              }
              if (!plan.widens_strips) continue;
              const std::size_t k = std::min(plan.k_block, rows), last = plan.converted_place(t, t.strip_end - 1, k);
              good = good && last + k * kLanes <= Scratch::kLhsFloats &&
                     (layout.blocks() == 1 || last == (t.strip_end - t.strip_begin - 1) * k * kLanes) &&
                     kMostPanels * TileCall::widened_panel(k) <= Scratch::kRhsFloats;
            }
            CHECK(good);
            CHECK(std::count(owners.begin(), owners.end(), 1) == std::ssize(owners));
          }
        }
      }
    }
  }
}

}  // namespace
