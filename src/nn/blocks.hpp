// The table of blocks: what a shape's layers are made of.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nn/block.hpp"
#include "nn/network_shape.hpp"
#include "nn/row_block.hpp"

namespace halfstep {

class Dense;

// One file each.
std::unique_ptr<RowBlock> make_activation(Activation activation);
std::unique_ptr<RowBlock> make_dropout(double share, std::uint64_t seed, std::size_t layer);
std::unique_ptr<RowBlock> make_skip();

// A hidden layer of the shape, and the last one, whose outputs are logits.
std::unique_ptr<Block> make_hidden_layer(const NetworkShape& shape, std::size_t layer);
std::unique_ptr<Dense> make_last_layer(const NetworkShape& shape);

}  // namespace halfstep
