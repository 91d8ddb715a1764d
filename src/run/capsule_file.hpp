// A capsule as a file, by itself all that running its step again needs.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "doctor/capsule.hpp"
#include "io/safetensors.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {

struct SavedCapsule {
  SavedModel model;  // without tensors: the capsule has them
  Capsule capsule;
};

// Durable and atomic. Throws Error(io).
void save_capsule(const std::string& path, const SavedModel& model, const Capsule& capsule);

// The bytes of that file.
std::vector<std::byte> capsule_bytes(const SavedModel& model, const Capsule& capsule);

// Throws Error: io when it cannot be read, format when it is damaged or no capsule, unsupported for another version.
SavedCapsule load_capsule(const std::string& path);

bool is_capsule(const io::File& file);
SavedCapsule capsule_of(const io::File& file, const std::string& path);

}  // namespace halfstep::internal
