#include "run/options_registry.hpp"

#include "run/options_entries.hpp"

namespace halfstep::internal::options {
namespace {

std::vector<Entry> all_entries() {
  std::vector<Entry> entries;
  for (auto* part : {data_entries, model_entries, precision_entries, training_entries}) {
    for (Entry& entry : part()) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

std::span<const Entry> registry() {
  static const std::vector<Entry> entries = all_entries();
  return entries;
}

}  // namespace halfstep::internal::options
