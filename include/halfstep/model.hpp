// A trained model from a file.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halfstep/dataset.hpp"
#include "halfstep/metrics.hpp"
#include "halfstep/model_spec.hpp"
#include "halfstep/options.hpp"

namespace halfstep {

// Owns its weights and threads. One thread at a time may call it.
class Model {
 public:
  // Of `options` count threads, isa and math. Throws Error: io where the file cannot be read, format where it is no
  // model, unsupported, out_of_memory.
  explicit Model(const std::string& path, const Options& options = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  const ModelSpec& spec() const;
  const std::vector<std::string>& class_names() const;  // none for values

  // Outputs for rows x inputs numbers as the network sees them: rows x outputs, probabilities of classes or values in
  // the units of the target. Of a model that was trained on a table use predict() of halfstep/jobs.hpp, which
  // preprocesses. A row whose outputs are not finite has NaN. Throws Error(invalid_argument).
  std::vector<float> predict(std::span<const float> x);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halfstep
