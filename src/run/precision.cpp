#include "run/precision.hpp"

#include <algorithm>

namespace halfstep {

std::vector<Dtype> layer_dtypes(const Options& options, std::size_t layers) {
  std::vector<Dtype> dtypes(layers, options.precision);
  for (const LayerPrecision& l : options.layer_precision) dtypes.at(static_cast<std::size_t>(l.layer)) = l.precision;
  return dtypes;
}

bool stores(const Options& options, Dtype dtype) {
  const std::vector<Dtype> dtypes = layer_dtypes(options, options.hidden.size() + 1);
  return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
}

std::string exceptions_text(Dtype precision, const std::vector<Dtype>& layers) {
  std::string text;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i] == precision) continue;
    text += (text.empty() ? "" : ",") + std::to_string(i) + "=" + std::string(name(layers[i]));
  }
  return text;
}

std::string precision_text(Dtype precision, const std::vector<Dtype>& layers) {
  const std::string exceptions = exceptions_text(precision, layers);
  return std::string(name(precision)) + (exceptions.empty() ? "" : " but " + exceptions);
}

}  // namespace halfstep
