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
  hs_log log = nullptr;
  void* log_user_data = nullptr;
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

// The host's log for the length of a call.
class Log {
 public:
  // Before the call has an environment of its own.
  Log() : host_(FpEnvGuard::read()) {}
  void open(const hs_config* config) {
    if (config == nullptr) return;
    callback_ = config->log;
    user_data_ = config->log_user_data;
  }
  void operator()(int32_t level, const std::string& line) const {
    if (callback_ == nullptr) return;
    const FpEnvScope fp_env(host_);
    try {
      callback_(level, line.c_str(), user_data_);
    } catch (...) {
      refuse("nothing was made", "the log's callback threw an exception", Status::internal);
    }
  }

 private:
  FpEnvGuard::Word host_;
  hs_log callback_ = nullptr;
  void* user_data_ = nullptr;
};

}  // namespace halfstep::internal::c_abi
