// Parameters of the storage types and of the loss scale.
#include "halfstep/text.hpp"
#include "run/options_entries.hpp"
#include "run/options_parse.hpp"

namespace halfstep::internal::options {
namespace {

constexpr Name kPrecisions = "bf16|fp16|fp32|auto";

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

// Where nothing is measured, auto is bf16: it needs no loss scale and is at least as fast as fp16 on every ISA here.
void set_precision(Options& options, Name value) {
  options.auto_precision = value == "auto";
  options.precision = from_name<Dtype>(parse_choice("precision", value, kPrecisions)).value_or(Dtype::bf16);
}

void set_layer_precision(Options& options, Name value) {
  std::vector<LayerPrecision> layers;
  for (const std::string& item : parse_list(value)) {
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos) reject("layer-precision", value, "must be like 0=fp32,2=fp16");
    const std::int64_t layer = parse_integer("layer-precision", item.substr(0, equals), 0, 256);
    const Dtype precision = parse_name<Dtype>("layer-precision", item.substr(equals + 1), "bf16|fp16|fp32");
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

}  // namespace

std::vector<Entry> precision_entries() {
  using O = Options;
  return {
      {"precision", kPrecisions, "",
       "storage of weights and activations; arithmetic is fp32; with auto, train first tries each on a few steps and "
       "takes the fastest that loses none, which depends on the machine: its repeat command names what it took; "
       "elsewhere "
       "auto is bf16",
       set_precision, [](const Options& o) { return o.auto_precision ? "auto" : std::string(name(o.precision)); }},
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
      choice("on-nonfinite", "skip|rollback|stop",
             "what a step does that no loss scale can save: only itself is lost; the run mends the cause (a row, the "
             "rate, "
             "the scale, layers in a wider type) from its last good weights; or it ends",
             &O::on_nonfinite),
      number("clip-norm", ">= 0; 0: off", not_negative, "largest L2 norm of the whole gradient", &O::clip_norm),
      number("clip-value", ">= 0; 0: off", not_negative, "largest magnitude of a gradient element", &O::clip_value),
  };
}

}  // namespace halfstep::internal::options
