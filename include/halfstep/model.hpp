// A trained model: weights that never change.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "halfstep/model_spec.hpp"
#include "halfstep/options.hpp"

namespace halfstep {

// Copies share the weights. Safe to use from several threads.
class Model {
 public:
  // From a file. Of `options` count isa and math. Throws Error: io where the file cannot be read, format where it is no
  // model, unsupported, out_of_memory.
  explicit Model(const std::string& path, const Options& options = {});

  const ModelSpec& spec() const;                        // valid as long as the model
  const std::vector<std::string>& class_names() const;  // none for values
  std::vector<std::string> target_names() const;        // of each output of a regression; none for classes

  // As Predictor::predict, with a predictor and a result made for the one call.
  std::vector<float> predict(std::span<const float> x) const;

 private:
  friend class Predictor;
  friend class Trainer;
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace halfstep
