// The state of a grad scaler as model files hold it.
#pragma once
#include <string>

#include "amp/grad_scaler.hpp"
#include "text/json.hpp"

namespace halfstep::internal {

json::Value to_json(const GradScalerState& state);

// Fields that older files do not have keep their defaults. Throws Error(format), of the model file `path`.
GradScalerState scaler_from_json(const std::string& path, const json::Value& value);

}  // namespace halfstep::internal
