#include "nn/blocks.hpp"

#include "gemm/layout.hpp"
#include "nn/dense.hpp"
#include "nn/norm.hpp"
#include "nn/row_chain.hpp"

namespace halfstep {
namespace {

DensePlan plan_of(const NetworkShape& shape, std::size_t layer) {
  const bool is_last = layer + 1 == shape.layers();
  return {.name = "layers." + std::to_string(layer),
          .index = layer,
          .layout = {.out = shape.widths[layer + 1], .in = shape.widths[layer]},
          .dtype = shape.dtype_of(layer),
          .output_dtype = is_last ? Dtype::fp32 : shape.dtype_of(layer + 1),
          .is_last = is_last,
          .use = {.training = shape.training,
                  .rows = pad_rows(shape.max_rows),
                  .has_master = shape.master,
                  .passes_gradient = layer > 0}};
}

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

// What follows the product of a hidden layer, in order.
RowChain make_rows(const NetworkShape& shape, const DensePlan& plan) {
  RowChain chain;
  chain.norm = make_norm(shape.norm, plan);
  chain.blocks.push_back(make_activation(shape.activation));
  if (shape.dropout > 0) chain.blocks.push_back(make_dropout(shape.dropout, shape.mask_seed, plan.index));
  if (shape.residual && plan.layout.in == plan.layout.out) chain.blocks.push_back(make_skip());
  return chain;
}

}  // namespace

std::unique_ptr<Block> make_hidden_layer(const NetworkShape& shape, std::size_t layer) {
  const DensePlan plan = plan_of(shape, layer);
  return std::make_unique<Dense>(plan, make_rows(shape, plan));
}

std::unique_ptr<Dense> make_last_layer(const NetworkShape& shape) {
  return std::make_unique<Dense>(plan_of(shape, shape.layers() - 1), RowChain());
}

}  // namespace halfstep
