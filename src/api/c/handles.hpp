// The handles of halfstep.h: each holds an object of the C++ interface.
#pragma once
#include <string>

#include "api/c/handle.hpp"
#include "halfstep/dataset.hpp"
#include "halfstep/model.hpp"
#include "halfstep/options.hpp"
#include "halfstep/predictor.hpp"
#include "halfstep/trainer.hpp"

struct hs_config : halfstep::internal::c_abi::Handle {
  static constexpr auto kKind = halfstep::internal::c_abi::Kind::config;
  hs_config() : Handle(kKind) {}
  halfstep::Options options;
};

struct hs_dataset : halfstep::internal::c_abi::Handle {
  static constexpr auto kKind = halfstep::internal::c_abi::Kind::dataset;
  explicit hs_dataset(halfstep::Dataset set) : Handle(kKind), data(std::move(set)) {}
  halfstep::Dataset data;
};

struct hs_trainer : halfstep::internal::c_abi::Handle {
  static constexpr auto kKind = halfstep::internal::c_abi::Kind::trainer;
  hs_trainer(halfstep::Trainer made, bool with_set) : Handle(kKind), trainer(std::move(made)), has_set(with_set) {}
  halfstep::Trainer trainer;
  bool has_set;
};

struct hs_model : halfstep::internal::c_abi::Handle {
  static constexpr auto kKind = halfstep::internal::c_abi::Kind::model;
  explicit hs_model(halfstep::Model made) : Handle(kKind), model(std::move(made)) {}
  halfstep::Model model;
};

struct hs_predictor : halfstep::internal::c_abi::Handle {
  static constexpr auto kKind = halfstep::internal::c_abi::Kind::predictor;
  explicit hs_predictor(halfstep::Predictor made) : Handle(kKind), predictor(std::move(made)) {}
  halfstep::Predictor predictor;
};

namespace halfstep::internal::c_abi {

// Those of a config, or the defaults for null.
inline Options options_of(const hs_config* config) {
  if (config == nullptr) return {};
  require_live(config);
  return config->options;
}

}  // namespace halfstep::internal::c_abi
