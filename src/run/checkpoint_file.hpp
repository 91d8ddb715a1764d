// All that goes on with a run, as a file: the state of its trainer and of the run around it, what it was asked for, and
// by what it knows its data again.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/state.hpp"
#include "data/examples.hpp"
#include "io/safetensors.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {

// Of prepared rows.
struct DataIdentity {
  std::string path;  // as the user gave it
  std::int64_t train_rows = 0, held_out_rows = 0, features = 0;
  std::string digest;  // of every number that training and early stopping see
};
DataIdentity identity_of(const std::string& path, const data::Examples& train, const data::Examples& held_out);

struct Checkpoint {
  SavedModel model;  // without tensors: the state has them; but of a network that has ended, see bagged_file.hpp
  DataIdentity data;
  std::string command;  // that goes on; empty: the program did not say
  std::int64_t attempted = 0, epoch = 0;
  State state;
};

// Durable and atomic. Throws Error(io). The bytes of the file.
std::int64_t save_checkpoint(const std::string& path, const Checkpoint& checkpoint);

// Throws Error: io when it cannot be read, format when it is damaged or a model without the state of a run,
// unsupported for another version.
Checkpoint load_checkpoint(const std::string& path);

// What such a file and that of a network that has ended have in common: all but the tensors of a model. The file's
// tensors point into the state.
io::File file_of(const Checkpoint& checkpoint, std::string_view format);
std::int64_t tensor_bytes(const io::File& file);
// Of a file that has been read. Throws Error(format, unsupported).
Checkpoint run_of_file(const io::File& file, const std::string& path, std::string_view format);

// A number of the state; none where it has no such number.
std::optional<std::int64_t> integer_of(const State& state, std::string_view name);

bool is_checkpoint(const io::File& file);
// Of a file that has been read. Throws as load_checkpoint.
Checkpoint checkpoint_of(const io::File& file, const std::string& path);
// The weights that a run had then, as a model. Throws as load_checkpoint.
SavedModel model_of_checkpoint(const io::File& file, const std::string& path);

}  // namespace halfstep::internal
