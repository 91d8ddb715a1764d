// The description of a model as model files hold it.
#pragma once
#include <string>

#include "halfstep/model_spec.hpp"
#include "text/json.hpp"

namespace halfstep::internal {

// Dropout is left out: a model that is used does not need it.
json::Value to_json(const ModelSpec& spec);

// Fields that older files do not have keep their defaults. Throws Error(format), of the model file `path`, where a
// field is missing, has a value that is unknown, or is out of range.
ModelSpec model_spec_from_json(const std::string& path, const json::Value& value);

}  // namespace halfstep::internal
