// What stands in the header of a model file, and of a checkpoint, beside tensors.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/safetensors.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {

constexpr std::string_view kModelFormat = "1", kCheckpointFormat = "checkpoint-1", kBaggedFormat = "bagged-1";

std::vector<std::pair<std::string, std::string>> metadata_of(const SavedModel& model, std::string_view format);

// The value under a key. Throws Error(format) where there is none.
const std::string& metadata(const io::File& file, const std::string& path, std::string_view key);

// All but the tensors. Throws Error(unsupported) where the file has another format than `format`, Error(format) where
// its parts are damaged or no digest vouches for them.
SavedModel model_without_tensors(const io::File& file, const std::string& path, std::string_view format);

}  // namespace halfstep::internal
