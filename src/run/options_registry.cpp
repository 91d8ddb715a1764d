#include "run/options_registry.hpp"

#include "halfstep/text.hpp"
#include "run/class_weights.hpp"
#include "run/options_parse.hpp"

namespace halfstep::options {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 53;  // counts stay exact as numbers of JSON

using Name = std::string_view;

Entry text(Name name, Name help, std::string Options::*field) {
  return {name,
          "text",
          "",
          help,
          [field](Options& o, Name v) { o.*field = v; },
          [field](const Options& o) { return o.*field; }};
}

Entry list(Name name, Name help, std::vector<std::string> Options::*field) {
  return {name,
          "list",
          "",
          help,
          [field](Options& o, Name v) { o.*field = parse_list(v); },
          [field](const Options& o) { return list_text(o.*field); }};
}

Entry flag(Name name, Name help, bool Options::*field) {
  return {name,
          "flag",
          "",
          help,
          [=](Options& o, Name v) { o.*field = parse_flag(name, v); },
          [field](const Options& o) { return std::string(o.*field ? "true" : "false"); }};
}

template <typename T>
Entry integer(Name name, std::int64_t least, std::int64_t most, Name range, Name help, T Options::*field) {
  return {name,
          "integer",
          range,
          help,
          [=](Options& o, Name v) { o.*field = static_cast<T>(parse_integer(name, v, least, most)); },
          [field](const Options& o) { return std::to_string(o.*field); }};
}

// A choice kept as text.
Entry choice(Name name, Name choices, Name help, std::string Options::*field) {
  return {name,
          choices,
          "",
          help,
          [=](Options& o, Name v) { o.*field = choice_name(choices, parse_choice(name, v, choices)); },
          [field](const Options& o) { return o.*field; }};
}

// A choice kept as an enumerator; the names stand in the order of the enumeration.
template <typename E>
Entry choice(Name name, Name choices, Name help, E Options::*field) {
  return {name,
          choices,
          "",
          help,
          [=](Options& o, Name v) { o.*field = static_cast<E>(parse_choice(name, v, choices)); },
          [=](const Options& o) { return choice_name(choices, static_cast<std::size_t>(o.*field)); }};
}

// `accepts` is written so that a NaN fails it.
Entry number(Name name, Name range, bool (*accepts)(double), Name help, double Options::*field) {
  return {name,
          "number",
          range,
          help,
          [=](Options& o, Name v) {
            const double value = parse_number(name, v);
            if (!accepts(value)) reject(name, v, "must be " + std::string(range));
            o.*field = value;
          },
          [field](const Options& o) { return number_text(o.*field); }};
}

// Judged as fp32, which is what the kernels will see.
bool positive(double v) { return static_cast<float>(v) > 0; }
bool not_negative(double v) { return v >= 0; }
bool fraction(double v) { return v >= 0 && static_cast<float>(v) < 1; }

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

void set_loss_scale(Options& options, Name value) {
  for (const Name rule : {"auto", "dynamic", "compatible", "headroom", "none"}) {
    if (value != rule) continue;
    options.loss_scale = value;
    return;
  }
  const double scale = parse_number("loss-scale", value);
  if (!is_scale(scale))
    reject("loss-scale", value, "must be auto, dynamic, compatible, headroom, none or a power of two");
  options.loss_scale = number_text(scale);
}

void set_class_weights(Options& options, Name value) {
  parse_class_weights(value);
  options.class_weights = value;
}

// bf16 needs no loss scale and is at least as fast as fp16 on every ISA here.
void set_precision(Options& options, Name value) {
  constexpr Dtype kDtypes[] = {Dtype::bf16, Dtype::fp16, Dtype::fp32, Dtype::bf16};
  options.precision = kDtypes[parse_choice("precision", value, "bf16|fp16|fp32|auto")];
}

void set_layer_precision(Options& options, Name value) {
  std::vector<LayerPrecision> layers;
  for (const std::string& item : parse_list(value)) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos) reject("layer-precision", value, "must be like 0=fp32,2=fp16");
    const std::int64_t layer = parse_integer("layer-precision", item.substr(0, equals), 0, 256);
    constexpr Dtype kDtypes[] = {Dtype::bf16, Dtype::fp16, Dtype::fp32};
    const Dtype precision = kDtypes[parse_choice("layer-precision", item.substr(equals + 1), "bf16|fp16|fp32")];
    for (const LayerPrecision& l : layers) {
      if (l.layer == layer) reject("layer-precision", value, "layer " + std::to_string(layer) + " is given twice");
    }
    layers.push_back({layer, precision});
  }
  options.layer_precision = layers;
}

std::string get_layer_precision(const Options& options) {
  std::vector<std::string> items;
  for (const LayerPrecision& l : options.layer_precision) {
    items.push_back(std::to_string(l.layer) + "=" + std::string(name(l.precision)));
  }
  return list_text(items);
}

std::vector<Entry> data_entries() {
  using O = Options;
  return {
      integer("threads", 0, 1000000, ">= 0; 0: all this process may use", "worker threads", &O::threads),
      text("isa", "compiled ISA to run, or auto for the best this CPU has", &O::isa),
      choice("math", "portable|native", "same bits on every ISA, or also instructions that round otherwise", &O::math),
      {"seed", "integer", "0 to 2^64-1", "start of the random numbers of split, initialisation and order",
       [](Options& o, Name v) { o.seed = parse_unsigned("seed", v); },
       [](const Options& o) { return std::to_string(o.seed); }},
      text("test", "test set, measured after every epoch", &O::test),
      number("validation", ">= 0 and < 1; 0: 0.1 where there is no test set", fraction,
             "share of the rows held out to measure on", &O::validation),
      text("target", "column to predict: name, index from 0, or last (the default)", &O::target),
      choice("task", "auto|classify|regress", "what to do with the target", &O::task),
      list("drop", "columns to leave out", &O::drop),
      list("categorical", "columns that are categories, whatever they look like", &O::categorical),
      list("numeric", "columns that are numbers; a text in them is a missing value", &O::numeric),
      choice("header", "auto|yes|no", "whether the first line names the columns", &O::header),
      text("separator", "between fields: auto, comma, semicolon, tab, pipe, blanks, or a sign", &O::separator),
      choice("decimal", "auto|point|comma", "decimal sign of numbers with commas", &O::decimal),
      list("missing", "tokens that mean a missing value; empty: the usual ones", &O::missing),
      choice("standardize", "auto|none", "bring input columns to mean 0 and standard deviation 1", &O::standardize),
      text("labels", "file of the labels of an IDX image file", &O::labels),
  };
}

std::vector<Entry> model_entries() {
  using O = Options;
  return {
      {"hidden", "list", "widths from 1 to 1048576, or none", "widths of the hidden layers", set_hidden, get_hidden},
      choice("activation", "identity|relu|gelu|gelu_tanh|silu|tanh|sigmoid|leaky_relu|elu|softplus",
             "after each hidden layer", &O::activation),
      choice("norm", "none|layer|rms|batch",
             "normalisation of each hidden layer before its activation: of rows, or of columns over the batch",
             &O::norm),
      number("dropout", ">= 0 and < 1; 0: off", fraction,
             "share of each hidden layer's outputs that a training step goes without", &O::dropout),
      flag("residual", "each hidden layer as wide as its input adds that to its output", &O::residual),
      choice("loss", "auto|cross_entropy|binary_cross_entropy|mse|huber", "auto follows the task", &O::loss),
      number("huber-delta", "> 0", positive, "where the huber loss turns linear", &O::huber_delta),
      number("label-smoothing", ">= 0 and < 1", fraction,
             "share of the truth that cross_entropy spreads over all classes", &O::label_smoothing),
      {"class-weights", "text", "balanced, or NAME=WEIGHT,...; empty: all 1",
       "what rows of a class count in cross_entropy, such as cat=1,dog=2.5; balanced: inversely to their number",
       set_class_weights, [](const Options& o) { return o.class_weights; }},
      {"precision", "bf16|fp16|fp32|auto", "", "storage of weights and activations; arithmetic is fp32", set_precision,
       [](const Options& o) { return std::string(name(o.precision)); }},
      {"layer-precision", "list", "LAYER=PRECISION, layers from 0", "layers stored otherwise, such as 0=fp32,2=fp16",
       set_layer_precision, get_layer_precision},
      {"loss-scale", "text", "auto, dynamic, compatible, headroom, none or a power of two",
       "auto: dynamic for fp16, else none; compatible: as PyTorch's GradScaler; headroom: fits the largest gradient of "
       "each batch, fp16 only",
       set_loss_scale, [](const Options& o) { return o.loss_scale; }},
      number(
          "scale-init", "a power of two; 0: suits the batch", [](double v) { return v == 0 || is_scale(v); },
          "first loss scale", &O::scale_init),
      number(
          "scale-growth", "a power of two > 1", [](double v) { return v > 1 && is_scale(v); },
          "factor after scale-interval good steps", &O::scale_growth),
      number(
          "scale-backoff", "a power of two, > 0 and < 1", [](double v) { return v < 1 && is_scale(v); },
          "factor after a skipped step", &O::scale_backoff),
      integer("scale-interval", 1, kMost, ">= 1", "good steps before the loss scale grows", &O::scale_interval),
      number("scale-min", "a power of two", is_scale, "the loss scale never falls below", &O::scale_min),
      number("scale-max", "a power of two", is_scale, "the loss scale never grows beyond", &O::scale_max),
      integer("scale-hysteresis", 1, kMost, ">= 1", "overflows until the first that shrinks the loss scale",
              &O::scale_hysteresis),
      flag("scale-consecutive-hysteresis", "a good step, not only growth, makes scale-hysteresis count anew",
           &O::scale_consecutive_hysteresis),
      number(
          "max-skip-rate", ">= 0 and <= 1; 1: off", [](double v) { return v >= 0 && v <= 1; },
          "end the run when more of the last 100 steps were skipped", &O::max_skip_rate),
      number("clip-norm", ">= 0; 0: off", not_negative, "largest L2 norm of the whole gradient", &O::clip_norm),
      number("clip-value", ">= 0; 0: off", not_negative, "largest magnitude of a gradient element", &O::clip_value),
  };
}

std::vector<Entry> run_entries() {
  using O = Options;
  return {
      choice("optimizer", "sgd|adam|adamw|lion", "the update rule", &O::optimizer),
      number("lr", "> 0", positive, "learning rate", &O::lr),
      number("momentum", ">= 0 and < 1", fraction, "of sgd", &O::momentum),
      flag("nesterov", "look ahead along the momentum of sgd", &O::nesterov),
      number("beta1", ">= 0 and < 1", fraction,
             "decay of the first moment of adam and adamw; how much of its momentum lion steps by", &O::beta1),
      number("beta2", ">= 0 and < 1", fraction,
             "decay of the second moment of adam and adamw; of the momentum of lion (0.99 suits it)", &O::beta2),
      number("epsilon", "> 0", positive, "keeps adam and adamw from dividing by zero", &O::epsilon),
      number("weight-decay", ">= 0", not_negative, "pull of the weights towards zero", &O::weight_decay),
      choice("moments", "fp32|bf16", "how the optimizer's moments lie in memory", &O::moments),
      choice("master", "fp32|kahan|stochastic",
             "what the optimizer updates: fp32 masters, or the 16-bit weights with compensation or random rounding",
             &O::master),
      choice("schedule", "constant|cosine|linear", "course of the learning rate after the warmup", &O::schedule),
      integer("warmup", 0, kMost, ">= 0", "steps over which the learning rate rises from 0", &O::warmup),
      integer("epochs", 0, kMost, ">= 0; 0: enough for about 1000 steps, 20 to 200", "passes over the training rows",
              &O::epochs),
      integer("steps", 0, kMost, ">= 0; 0: epochs decide", "updates to attempt", &O::steps),
      integer("batch", 1, std::int64_t{1} << 30, ">= 1", "rows that pass through the model together", &O::batch),
      integer("accumulate", 1, std::int64_t{1} << 20, ">= 1", "batches whose gradients make one step", &O::accumulate),
      text("out", "file to write; empty: model.safetensors", &O::out),
      text("metrics", "JSONL file, a line per epoch", &O::metrics),
      integer("meter-every", 0, kMost, ">= 0; 0: off", "read every so many steps what rounding to storage loses",
              &O::meter_every),
  };
}

std::vector<Entry> all_entries() {
  std::vector<Entry> entries = data_entries();
  for (auto* more : {model_entries, run_entries}) {
    for (Entry& entry : more()) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

std::span<const Entry> registry() {
  static const std::vector<Entry> entries = all_entries();
  return entries;
}

}  // namespace halfstep::options
