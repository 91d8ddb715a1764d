#include "data/wanted_columns.hpp"

#include <algorithm>

#include "data/target_columns.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

void want_by_knowledge(const InputColumn& column, Wanted& wanted) {
  wanted.missing = column.missing_tokens;
  const bool texts = column.kind == InputColumn::Kind::categories || column.time != TimePart::none;
  if (texts) wanted.keep_texts = KeepTexts::all;
  if (texts) wanted.rules.reading = Reading::categories;
  if (!texts && column.kind == InputColumn::Kind::number) wanted.rules.reading = Reading::numbers_only;
}

}  // namespace

std::vector<Wanted> wanted_by_options(const std::vector<std::string>& names, const Options& options) {
  std::vector<Wanted> wanted(names.size());
  const auto each = [&](const std::vector<std::string>& keys, auto change) {
    for (const std::string& key : keys) {
      const std::size_t found = find_column(names, key);
      if (found < names.size()) change(wanted[found]);
    }
  };
  const std::vector<std::string> keys = target_keys(names, options.target);
  for (const std::string& key : keys) {
    const std::size_t named = find_target(names, key);
    Wanted& t = wanted[named < names.size() ? named : names.size() - 1];
    t.rules.target = true;
    if (keys.size() > 1) continue;  // several are never classes
    t.keep_texts = options.task == Task::classify ? KeepTexts::all : KeepTexts::few;
  }
  each(options.categorical, [](Wanted& w) {
    w.rules.reading = Reading::categories;
    w.keep_texts = KeepTexts::all;
  });
  each(options.numeric, [](Wanted& w) { w.rules.reading = Reading::numbers; });
  return wanted;
}

std::vector<Wanted> wanted_by_knowledge(const std::vector<std::string>& names, bool header, const Recipe& known) {
  std::vector<Wanted> wanted(names.size());
  const bool by_name = header && known.has_header;
  const bool without_targets = names.size() == known.inputs_width();
  const auto place_of = [&](const std::string& name, std::size_t index) -> std::size_t {
    if (by_name) return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    return without_targets ? known.index_without_targets(index) : index;
  };
  for (const InputColumn& column : known.columns) {
    const std::size_t place = place_of(column.name, column.index);
    if (place < wanted.size()) want_by_knowledge(column, wanted[place]);
  }
  if (!by_name && without_targets) return wanted;
  const bool classes = known.task == Task::classify;
  for (const TargetColumn& target : known.targets) {
    const std::size_t place = place_of(target.name, target.index);
    if (place < wanted.size())
      wanted[place] = {{classes ? Reading::categories : Reading::numbers_only, true},
                       classes ? KeepTexts::all : KeepTexts::no};
  }
  return wanted;
}

}  // namespace halfstep::internal::data
