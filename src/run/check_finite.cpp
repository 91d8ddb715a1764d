#include "run/check_finite.hpp"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "halfstep/error.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

// A number is inf or NaN where all bits of its exponent are set.
template <class Bits>
std::size_t count_bad(std::span<const std::byte> bytes, Bits exponent) {
  std::size_t bad = 0;
  for (std::size_t at = 0; at + sizeof(Bits) <= bytes.size(); at += sizeof(Bits)) {
    Bits bits = 0;
    std::memcpy(&bits, bytes.data() + at, sizeof bits);
    bad += (bits & exponent) == exponent;
  }
  return bad;
}

std::size_t count_bad(std::span<const std::byte> bytes, Dtype dtype) {
  switch (dtype) {
    case Dtype::fp32:
      return count_bad<std::uint32_t>(bytes, 0x7f800000);
    case Dtype::bf16:
      return count_bad<std::uint16_t>(bytes, 0x7f80);
    case Dtype::fp16:
      return count_bad<std::uint16_t>(bytes, 0x7c00);
  }
  return 0;
}

// What an array of the state holds; none where it is no numbers of a model. Moments in 16 bits, and what the weights of
// kahan lack, are bf16; weights without a master are as their layer stores them.
std::optional<Dtype> dtype_of(const StateEntry& e, const std::vector<Dtype>& layers) {
  if (e.type == StateType::fp32) return Dtype::fp32;
  if (e.type == StateType::bits16) return Dtype::bf16;
  constexpr std::string_view kLayer = "layers.";
  const std::size_t at = e.name.find(kLayer);
  if (e.type != StateType::bytes || at == std::string::npos) return std::nullopt;
  std::size_t layer = layers.size();
  std::from_chars(e.name.data() + at + kLayer.size(), e.name.data() + e.name.size(), layer);
  return layer < layers.size() ? std::optional(layers[layer]) : std::nullopt;
}

[[noreturn]] void refuse_to_train(const std::string& path, const std::string& why, const char* hint) {
  throw Error(Status::format, {.what = "cannot train on from numbers that are inf or NaN",
                               .where = path,
                               .why = why,
                               .kept = {},
                               .hint = hint});
}

std::string count_text(const std::string& tensor, std::size_t bad) {
  return bad == 0 ? "" : tensor + " has " + std::to_string(bad) + " of them";
}

}  // namespace

std::string not_finite(const SavedModel& model) {
  std::string text;
  for (auto t = model.tensors.begin(); t != model.tensors.end() && text.empty(); ++t) {
    text = count_text(t->name, count_bad(std::as_bytes(std::span(t->values)), Dtype::fp32));
  }
  return text;
}

void check_finite(const Checkpoint& checkpoint, const std::string& path) {
  const std::vector<Dtype> layers = layer_dtypes(checkpoint.model.spec);
  for (const StateEntry& e : checkpoint.state.entries) {
    const std::optional<Dtype> dtype = dtype_of(e, layers);
    const std::string bad = dtype ? count_text(e.name, count_bad(e.bytes, *dtype)) : "";
    if (!bad.empty()) refuse_to_train(path, bad, "an earlier checkpoint, or a new run with a smaller --lr");
  }
}

void check_finite(const SavedModel& model, const std::string& path) {
  if (const std::string bad = not_finite(model); !bad.empty()) refuse_to_train(path, bad, "another model");
}

}  // namespace halfstep::internal
