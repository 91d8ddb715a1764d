// A model in words.
#pragma once
#include <string>

#include "halfstep/model_spec.hpp"

namespace halfstep::internal {

// "784-512-10 layer norm, gelu, residual, dropout 0.1".
std::string architecture_text(const ModelSpec& spec);

// "bf16", or "bf16 but 0=fp32,2=fp16".
std::string precision_text(const ModelSpec& spec);

// "0=fp32,2=fp16": the layers that are not stored in spec.precision.
std::string exceptions_text(const ModelSpec& spec);

}  // namespace halfstep::internal
