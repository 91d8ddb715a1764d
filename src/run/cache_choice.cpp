#include "run/cache_choice.hpp"

#include <filesystem>

namespace halfstep::internal {

data::Cache cache_choice(const Options& options) {
  using When = data::Cache::When;
  if (options.cache == "none") return {};
  if (options.cache != "auto") return {.when = When::always, .folder = options.cache};
  const std::string beside = std::filesystem::path(options.out).parent_path().string();
  return {.when = When::if_needed, .folder = beside.empty() ? "." : beside};
}

}  // namespace halfstep::internal
