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

}  // namespace halfstep::internal
