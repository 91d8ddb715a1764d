// The table of blocks: what a shape's layers are made of.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "nn/block.hpp"
#include "nn/dense.hpp"
#include "nn/network_shape.hpp"
#include "nn/row_block.hpp"
#include "nn/row_chain.hpp"

namespace halfstep::internal {

// One file each.
std::unique_ptr<RowBlock> make_activation(Activation activation);
std::unique_ptr<RowBlock> make_dropout(double share, std::uint64_t seed, std::size_t layer);
std::unique_ptr<RowBlock> make_skip();

// What a layer of the shape is made from, and what follows its product row by row.
DensePlan plan_of(const NetworkShape& shape, std::size_t layer);
RowChain make_rows(const NetworkShape& shape, const DensePlan& plan);

// Hidden layers, one file each.
std::unique_ptr<Block> make_dense(const NetworkShape& shape, std::size_t layer);
std::unique_ptr<Block> make_gated(const NetworkShape& shape, std::size_t layer);

// The table of hidden layers: a shape names one of them.
std::span<const std::string_view> hidden_layer_names();
bool layer_takes_norm(std::string_view name);

// A hidden layer of the shape, and the last one, whose outputs are logits.
std::unique_ptr<Block> make_hidden_layer(const NetworkShape& shape, std::size_t layer);
std::unique_ptr<Dense> make_last_layer(const NetworkShape& shape);

}  // namespace halfstep::internal
