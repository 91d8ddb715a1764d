#include "run/class_weights.hpp"

#include <algorithm>

#include "halfstep/text.hpp"
#include "run/options_parse.hpp"

namespace halfstep::internal {
namespace {

constexpr std::string_view kName = "class-weights";

std::vector<double> balanced(std::size_t classes, std::span<const std::int32_t> labels) {
  std::vector<double> counts(classes, 0.0), weights;
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  const double share = static_cast<double>(labels.size()) / static_cast<double>(classes);
  for (const double count : counts) weights.push_back(share / std::max(count, 1.0));
  return weights;
}

std::size_t index_of(const std::vector<std::string>& classes, const std::string& name, std::string_view text) {
  const auto found = std::find(classes.begin(), classes.end(), name);
  if (found != classes.end()) return static_cast<std::size_t>(found - classes.begin());
  const std::vector<std::string_view> names(classes.begin(), classes.end());
  const std::string_view near = nearest_name(name, names);
  options::reject(kName, text,
                  "there is no class \"" + name + "\"" +
                      (near.empty() ? std::string() : "; did you mean \"" + std::string(near) + "\"?"));
}

}  // namespace

std::vector<std::pair<std::string, double>> parse_class_weights(std::string_view text) {
  std::vector<std::pair<std::string, double>> pairs;
  if (text == "balanced") return pairs;
  for (const std::string& item : options::parse_list(text)) {
    const std::size_t equals = item.rfind('=');
    if (equals == std::string::npos) options::reject(kName, text, "must be balanced, or like cat=1,dog=2.5");
    const double weight = options::parse_number(kName, item.substr(equals + 1));
    if (!(static_cast<float>(weight) > 0)) options::reject(kName, text, "a weight must be > 0");
    const std::string name = item.substr(0, equals);
    for (const auto& pair : pairs) {
      if (pair.first == name) options::reject(kName, text, "class \"" + name + "\" is given twice");
    }
    pairs.emplace_back(name, weight);
  }
  return pairs;
}

std::vector<double> class_weights(std::string_view text, const std::vector<std::string>& classes,
                                  std::span<const std::int32_t> labels) {
  if (text.empty()) return {};
  if (text == "balanced") return balanced(classes.size(), labels);
  std::vector<double> weights(classes.size(), 1.0);
  for (const auto& [name, weight] : parse_class_weights(text)) weights[index_of(classes, name, text)] = weight;
  return weights;
}

}  // namespace halfstep::internal
