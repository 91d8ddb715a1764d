#include "train/network_of.hpp"

namespace halfstep::internal {

NetworkShape network_of(const ModelSpec& spec, const NetworkUse& use) {
  return {.widths = spec.widths,
          .layer = spec.layer,
          .activation = spec.activation,
          .norm = spec.norm,
          .dropout = use.training ? spec.dropout : 0,
          .embedded = spec.embedded,
          .embedding = spec.embedding,
          .members = spec.members,
          .residual = spec.residual,
          .mask_seed = use.mask_seed,
          .dtype = spec.precision,
          .layer_dtypes = layer_dtypes(spec),
          .max_rows = use.max_rows,
          .training = use.training,
          .master = use.master};
}

std::unique_ptr<Loss> loss_of(const ModelSpec& spec) {
  return make_loss(spec.loss, spec.huber_delta, {spec.label_smoothing, spec.class_weights});
}

std::vector<Dtype> layer_dtypes(const ModelSpec& spec) {
  if (!spec.layer_precision.empty()) return spec.layer_precision;
  return std::vector<Dtype>(spec.widths.size() - 1, spec.precision);
}

}  // namespace halfstep::internal
