// Parameters of the model.
#include "halfstep/model_spec.hpp"
#include "run/class_weights.hpp"
#include "run/options_entries.hpp"
#include "run/options_parse.hpp"

namespace halfstep::internal::options {
namespace {

void set_hidden(Options& options, Name value) {
  std::vector<std::int64_t> widths;
  if (value != "none") {
    for (const std::string& item : parse_list(value)) {
      widths.push_back(parse_integer("hidden", item, 1, std::int64_t{1} << 20));
    }
  }
  if (widths.size() > 256) reject("hidden", value, "at most 256 hidden layers");
  options.hidden = widths;
}

std::string get_hidden(const Options& options) {
  std::vector<std::string> items;
  for (const std::int64_t width : options.hidden) items.push_back(std::to_string(width));
  return items.empty() ? "none" : list_text(items);
}

std::string_view loss_choices() {
  static const std::string text = "auto|" + std::string(all_names<LossKind>());
  return text;
}

std::string_view layer_choices() {
  static const std::string text = [] {
    std::string all;
    for (const std::string_view name : layer_names()) all += (all.empty() ? "" : "|") + std::string(name);
    return all;
  }();
  return text;
}

void set_class_weights(Options& options, Name value) {
  parse_class_weights(value);
  options.class_weights = value;
}

}  // namespace

std::vector<Entry> model_entries() {
  using O = Options;
  return {
      {"hidden", "list", "widths from 1 to 1048576, or none", "widths of the hidden layers", set_hidden, get_hidden},
      choice("quality", "auto|plain|quick|good|best",
             "for a table: choose by its size what no other flag says: nothing, a network that embeds its columns, an "
             "ensemble of eight or 16, eight of these (--bag) after a search; auto: good, or plain where --hidden or "
             "--embedding says what the network is",
             &O::quality),
      integer("embedding", 0, 256, "0 to 256; 0: columns go in as numbers",
              "width of the vector that each column of a table becomes, which is learned", &O::embedding),
      integer("bins", 1, 1024, "1 to 1024",
              "segments of the piecewise linear function that embeds a number, between its quantiles", &O::bins),
      integer("periodic", 0, 64, "0 to 64; 0: none",
              "cosines, of frequencies that are learned, of each embedded number that has more than 24 values",
              &O::periodic),
      integer("ensemble", 1, 256, "1 to 256; 1: a single network",
              "members that share all weights but the scale of their inputs and their outputs, which are averaged; "
              "with --embedding",
              &O::ensemble),
      choice("layer", layer_choices(), "kind of the hidden layers", &O::layer),
      choice("activation", "after each hidden layer", &O::activation),
      choice("norm", "normalisation of each hidden layer before its activation: of rows, or of columns over the batch",
             &O::norm),
      number("dropout", ">= 0 and < 1; 0: off", fraction,
             "share of each hidden layer's outputs that a training step goes without", &O::dropout),
      flag("residual", "each hidden layer as wide as its input adds that to its output", &O::residual),
      choice("loss", loss_choices(), "auto follows the task", &O::loss),
      number("huber-delta", "> 0", positive, "where the huber loss turns linear", &O::huber_delta),
      number("label-smoothing", ">= 0 and < 1", fraction,
             "share of the truth that cross_entropy spreads over all classes", &O::label_smoothing),
      {"class-weights", "text", "balanced, or NAME=WEIGHT,...; empty: all 1",
       "what rows of a class count in cross_entropy, such as cat=1,dog=2.5; balanced: inversely to their number",
       set_class_weights, [](const Options& o) { return o.class_weights; }},
  };
}

}  // namespace halfstep::internal::options
