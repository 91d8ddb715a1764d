// A network of a bag that has come to its end, as a file: the model that it is, and of its run what the bag needs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/safetensors.hpp"
#include "run/checkpoint_file.hpp"

namespace halfstep::internal {

bool is_bagged_network(const io::File& file);
// Of a file that has been read: the model has its tensors, too. Throws as load_checkpoint.
Checkpoint bagged_network_of(const io::File& file, const std::string& path);

// Durable and atomic. `tensors`: of the model, which needs none of its own. Throws Error(io). The bytes of the file.
std::int64_t save_bagged_network(const std::string& path, const Checkpoint& network,
                                 const std::vector<NamedTensor>& tensors);

}  // namespace halfstep::internal
