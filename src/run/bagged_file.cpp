#include "run/bagged_file.hpp"

#include "io/state_tensors.hpp"
#include "run/bad_model.hpp"
#include "run/model_metadata.hpp"

namespace halfstep::internal {

bool is_bagged_network(const io::File& file) {
  const std::string* const format = file.find_metadata("halfstep.format");
  return format != nullptr && format->starts_with("bagged-");
}

Checkpoint bagged_network_of(const io::File& file, const std::string& path) {
  Checkpoint c = run_of_file(file, path, kBaggedFormat);
  if (c.model.networks != 1) bad_model(path, "it says that it is several networks");
  io::File of_model = file;
  std::erase_if(of_model.tensors, [](const io::Tensor& t) { return t.name.starts_with(io::kStatePrefix); });
  c.model.tensors = model_tensors(of_model, path, c.model.spec);
  if (c.model.preprocessor.task() == Task::regress) c.model.preprocessor.set_outputs(c.model.spec.widths.back());
  return c;
}

std::int64_t save_bagged_network(const std::string& path, const Checkpoint& network,
                                 const std::vector<NamedTensor>& tensors) {
  io::File file = file_of(network, kBaggedFormat);
  add_tensors(tensors, file);
  io::write_safetensors(path, file);
  return tensor_bytes(file);
}

}  // namespace halfstep::internal
