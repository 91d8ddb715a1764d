#include "run/memory_check.hpp"

#include <algorithm>

#include "halfstep/error.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal {
namespace {

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes) / 0x1p20;
  std::size_t unit = 0;
  for (; size >= 1024 && unit < 2; ++unit) size /= 1024;
  return short_number(size, 4) + " " + kUnits[unit];
}

std::string largest(std::vector<MemoryPart> parts) {
  std::sort(parts.begin(), parts.end(), [](const MemoryPart& a, const MemoryPart& b) { return a.bytes > b.bytes; });
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 3); ++i) {
    text += (i == 0 ? "" : ", ") + parts[i].what + " " + size_text(static_cast<std::uint64_t>(parts[i].bytes));
  }
  return text;
}

// A batch that fits beside whatever else runs. Where none does it is not the batch that is too large.
std::string hint(const RunShape& run, const MemoryLimit& limit) {
  const std::size_t rows = batch_that_fits(run, limit.bytes / 4 * 3);
  return rows > 0 ? "--batch " + std::to_string(rows) : "a smaller --hidden, or a machine with more memory";
}

}  // namespace

bool fits_memory(const RunShape& run, const MemoryLimit& limit) {
  return is_countable(run.model) && static_cast<std::uint64_t>(total_bytes(planned_memory(run))) <= limit.bytes;
}

void check_memory(const RunShape& run, const MemoryLimit& limit) {
  if (!is_countable(run.model)) {
    throw Error(Status::limit, {.what = "the model is too large",
                                .where = {},
                                .why = "its sizes cannot be counted",
                                .kept = {},
                                .hint = "a smaller --hidden"});
  }
  const std::vector<MemoryPart> parts = planned_memory(run);
  const auto total = static_cast<std::uint64_t>(total_bytes(parts));
  if (total <= limit.bytes) return;
  throw Error(Status::out_of_memory, {.what = "this run needs " + size_text(total) + " of memory",
                                      .where = "most of it: " + largest(parts),
                                      .why = "there are " + size_text(limit.bytes) + " (" + limit.source + ")",
                                      .kept = "no file was written",
                                      .hint = hint(run, limit)});
}

}  // namespace halfstep::internal
