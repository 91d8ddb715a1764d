#include "run/precision.hpp"

#include <algorithm>

namespace halfstep::internal {

std::vector<Dtype> layer_dtypes(const Options& options, std::size_t layers) {
  std::vector<Dtype> dtypes(layers, options.precision);
  for (const LayerPrecision& l : options.layer_precision) dtypes.at(static_cast<std::size_t>(l.layer)) = l.precision;
  return dtypes;
}

bool stores(const Options& options, Dtype dtype) {
  const std::vector<Dtype> dtypes = layer_dtypes(options, options.hidden.size() + 1);
  return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
}

std::vector<std::string> parameters_of_scale() {
  return {"loss-scale",    "scale-init",       "scale-growth",
          "scale-backoff", "scale-interval",   "scale-min",
          "scale-max",     "scale-hysteresis", "scale-consecutive-hysteresis"};
}

std::vector<std::string> parameters_of_precision() {
  std::vector<std::string> names = {"precision", "layer-precision", "master"};
  const std::vector<std::string> of_scale = parameters_of_scale();
  names.insert(names.end(), of_scale.begin(), of_scale.end());
  return names;
}

}  // namespace halfstep::internal
