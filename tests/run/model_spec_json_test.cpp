// The description of a model in its file.
#include "run/model_spec_json.hpp"

#include <doctest/doctest.h>

#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

constexpr const char* kText =
    R"({"widths":[4,8,3],"activation":"gelu","norm":"rms","residual":true,"loss":"cross_entropy","huber_delta":1.0,)"
    R"("label_smoothing":0.5,"class_weights":[1.0,2.0,3.0],"precision":"fp16","layer_precision":["fp32","fp16"]})";

const ModelSpec kSpec = {.widths = {4, 8, 3},
                         .activation = Activation::gelu,
                         .norm = Norm::rms,
                         .residual = true,
                         .precision = Dtype::fp16,
                         .layer_precision = {Dtype::fp32, Dtype::fp16},
                         .label_smoothing = 0.5,
                         .class_weights = {1, 2, 3}};

ModelSpec read(const std::string& text) { return model_spec_from_json("m.safetensors", json::parse(text)); }

// kText with one part replaced.
std::string with(const std::string& part, const std::string& other) {
  std::string text = kText;
  const std::size_t at = text.find(part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, part.size(), other);
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    CHECK(error.status() == Status::format);
    return error.parts().where + ": " + error.parts().why;
  }
  return {};
}

TEST_CASE("model spec: what files hold, byte for byte, and read again") {
  CHECK(json::dump(to_json(kSpec)) == kText);
  CHECK(read(kText) == kSpec);
}

TEST_CASE("model spec: one precision is written for each layer, and dropout not at all") {
  ModelSpec spec = kSpec;
  spec.dropout = 0.1;
  spec.layer_precision.clear();
  CHECK(json::dump(to_json(spec)) == with(R"(["fp32","fp16"])", R"(["fp16","fp16"])"));
}

TEST_CASE("model spec: older files do without what is newer") {
  const ModelSpec spec =
      read(R"({"widths":[4,8,1],"activation":"relu","loss":"huber","huber_delta":0.5,"precision":"bf16"})");
  CHECK(spec == ModelSpec{.widths = {4, 8, 1}, .loss = LossKind::huber, .huber_delta = 0.5});
}

TEST_CASE("model spec: what no model has is refused with the file's name") {
  CHECK(refusal(with("gelu", "gelo")) == "m.safetensors: activation is 'gelo', which is unknown");
  CHECK(refusal(with("rms", "batch2")) == "m.safetensors: norm is 'batch2', which is unknown");
  CHECK(refusal(with("[4,8,3]", "[4]")) == "m.safetensors: it has an impossible number of layers");
  CHECK(refusal(with("[4,8,3]", "[4,-1,3]")) == "m.safetensors: a layer width of -1 is out of range");
  CHECK(refusal(with("[4,8,3]", "[4,1048577,3]")) == "m.safetensors: a layer width of 1048577 is out of range");
  for (const char* layers : {"[]", R"(["fp32"])", R"(["fp32","fp32","fp32"])"}) {
    CHECK(refusal(with(R"(["fp32","fp16"])", layers)) == "m.safetensors: layer_precision does not name each layer");
  }
  CHECK(refusal(with(R"(["fp32","fp16"])", R"(["fp32","fp8"])")) ==
        "m.safetensors: layer_precision is 'fp8', which is unknown");
  CHECK(refusal(with("1.0,2.0", "1.0,-2.0")) == "m.safetensors: class_weights do not fit its classes");
  CHECK(refusal(with("0.5", "1.0")) == "m.safetensors: label_smoothing is out of range");
  CHECK(refusal(with(R"("huber_delta":1.0)", R"("huber_delta":0.0)")) == "m.safetensors: huber_delta is not positive");
}

}  // namespace
}  // namespace halfstep::internal
