#include "nn/blocks.hpp"

#include "gemm/layout.hpp"
#include "halfstep/error.hpp"
#include "nn/dense.hpp"
#include "nn/norm.hpp"
#include "nn/row_chain.hpp"

namespace halfstep::internal {

DensePlan plan_of(const NetworkShape& shape, std::size_t layer) {
  const bool is_last = layer + 1 == shape.layers();
  return {.name = "layers." + std::to_string(layer),
          .index = layer,
          .layout = {.out = shape.outputs_of_layer(layer), .in = shape.columns_of_layer(layer)},
          .dtype = shape.dtype_of(layer),
          .output_dtype = is_last ? Dtype::fp32 : shape.dtype_of(layer + 1),
          .is_last = is_last,
          .use = {.training = shape.training,
                  .rows = pad_rows(shape.max_rows * shape.members),
                  .has_master = shape.master,
                  .passes_gradient = layer > 0 || !shape.embedded.empty()}};
}

namespace {

std::unique_ptr<NormBlock> make_norm(Norm kind, const DensePlan& plan) {
  switch (kind) {
    case Norm::none:
      return nullptr;
    case Norm::layer:
    case Norm::rms:
      return make_row_norm(kind, plan.name, plan.layout.out, plan.use);
    case Norm::batch:
      return make_batch_norm(plan.name, plan.layout.out, plan.use);
  }
  return nullptr;
}

}  // namespace

RowChain make_rows(const NetworkShape& shape, const DensePlan& plan) {
  RowChain chain;
  chain.norm = make_norm(shape.norm, plan);
  chain.blocks.push_back(make_activation(shape.activation));
  if (shape.dropout > 0) chain.blocks.push_back(make_dropout(shape.dropout, shape.mask_seed, plan.index));
  if (shape.residual && plan.layout.in == plan.layout.out) chain.blocks.push_back(make_skip());
  return chain;
}

std::unique_ptr<Block> make_dense(const NetworkShape& shape, std::size_t layer) {
  const DensePlan plan = plan_of(shape, layer);
  return std::make_unique<Dense>(plan, make_rows(shape, plan));
}

namespace {

struct HiddenLayer {
  std::string_view name;
  std::unique_ptr<Block> (*make)(const NetworkShape& shape, std::size_t layer);
  bool takes_norm;
};
constexpr HiddenLayer kHiddenLayers[] = {
    {"dense", make_dense, true},
    {"gated", make_gated, false},
};

const HiddenLayer& find_layer(std::string_view name) {
  for (const HiddenLayer& layer : kHiddenLayers) {
    if (layer.name == name) return layer;
  }
  throw Error(Status::invalid_argument,
              {.what = "there is no such layer", .where = std::string(name), .why = {}, .kept = {}, .hint = {}});
}

}  // namespace

std::span<const std::string_view> hidden_layer_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const HiddenLayer& layer : kHiddenLayers) all.push_back(layer.name);
    return all;
  }();
  return names;
}

bool layer_takes_norm(std::string_view name) { return find_layer(name).takes_norm; }

std::unique_ptr<Block> make_hidden_layer(const NetworkShape& shape, std::size_t layer) {
  return find_layer(shape.layer).make(shape, layer);
}

std::unique_ptr<Dense> make_last_layer(const NetworkShape& shape) {
  return std::make_unique<Dense>(plan_of(shape, shape.layers() - 1), RowChain());
}

}  // namespace halfstep::internal
