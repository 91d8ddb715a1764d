// What is a model, and the network and the loss that are made from its description.
#include "halfstep/model_spec.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "halfstep/error.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

const ModelSpec kSpec = {.widths = {4, 8, 3},
                         .activation = Activation::gelu,
                         .norm = Norm::rms,
                         .dropout = 0.25,
                         .residual = true,
                         .precision = Dtype::fp16,
                         .layer_precision = {Dtype::fp32, Dtype::fp16},
                         .label_smoothing = 0.5,
                         .class_weights = {1, 2, 3}};

// Why it is refused; empty: it is not.
std::string refusal(const ModelSpec& spec) {
  try {
    validate(spec);
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_argument);
    return error.parts().why;
  }
  return {};
}

template <class F>
std::string refusal_with(F change) {
  ModelSpec spec = kSpec;
  change(spec);
  return refusal(spec);
}

TEST_CASE("model spec: ranges of its fields") {
  CHECK(refusal(kSpec).empty());
  CHECK(refusal_with([](ModelSpec& s) { s.layer_precision.clear(); }).empty());
  CHECK(refusal_with([](ModelSpec& s) { s.class_weights.clear(); }).empty());
  CHECK(refusal_with([](ModelSpec& s) { s.widths[1] = 1 << 20; }).empty());
  CHECK(refusal_with([](ModelSpec& s) { s.widths = {4}; }) == "it has an impossible number of layers");
  CHECK(refusal_with([](ModelSpec& s) { s.widths.assign(1025, 3); }) == "it has an impossible number of layers");
  CHECK(refusal_with([](ModelSpec& s) { s.widths[1] = 0; }) == "a layer width of 0 is out of range");
  CHECK(refusal_with([](ModelSpec& s) { s.widths[1] = (1 << 20) + 1; }) == "a layer width of 1048577 is out of range");
  CHECK(refusal_with([](ModelSpec& s) { s.layer_precision.pop_back(); }) == "layer_precision does not name each layer");
  CHECK(refusal_with([](ModelSpec& s) { s.class_weights = {1, 2}; }) == "class_weights do not fit its classes");
  CHECK(refusal_with([](ModelSpec& s) { s.class_weights[2] = 0; }) == "class_weights do not fit its classes");
  for (const double bad : {-0.1, 1.0, std::nan("")}) {
    CHECK(refusal_with([&](ModelSpec& s) { s.dropout = bad; }) == "dropout is out of range");
    CHECK(refusal_with([&](ModelSpec& s) { s.label_smoothing = bad; }) == "label_smoothing is out of range");
    if (!(bad > 0)) CHECK(refusal_with([&](ModelSpec& s) { s.huber_delta = bad; }) == "huber_delta is not positive");
  }
}

TEST_CASE("model spec: the network to train and the one to use") {
  const NetworkShape trained = network_of(kSpec, {.max_rows = 7, .training = true, .master = false, .mask_seed = 5});
  CHECK(trained.widths == kSpec.widths);
  CHECK(trained.activation == Activation::gelu);
  CHECK(trained.norm == Norm::rms);
  CHECK(trained.dropout == 0.25);
  CHECK(trained.residual);
  CHECK(trained.mask_seed == 5);
  CHECK(trained.layer_dtypes == kSpec.layer_precision);
  CHECK(trained.max_rows == 7);
  CHECK(trained.training);
  CHECK_FALSE(trained.master);
  const NetworkShape used = network_of(kSpec, {.max_rows = 9});
  CHECK(used.dropout == 0);
  CHECK(used.max_rows == 9);
  CHECK_FALSE(used.training);
}

TEST_CASE("model spec: one precision is that of every layer") {
  ModelSpec spec = kSpec;
  spec.layer_precision.clear();
  CHECK(layer_dtypes(spec) == std::vector<Dtype>{Dtype::fp16, Dtype::fp16});
}

TEST_CASE("model spec: its loss smooths and weighs") {
  const std::int32_t labels[] = {0, 2};
  const Targets targets = {labels, nullptr};
  CHECK(total_weight(*loss_of(kSpec), targets, 2) == 4);
  ModelSpec plain = kSpec;
  plain.class_weights.clear();
  CHECK(total_weight(*loss_of(plain), targets, 2) == 2);
}

}  // namespace
}  // namespace halfstep::internal
