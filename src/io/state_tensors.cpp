#include "io/state_tensors.hpp"

#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "halfstep/error.hpp"
#include "text/json.hpp"

namespace halfstep::internal::io {
namespace {

constexpr std::string_view kStateScalars = "halfstep.state";

constexpr std::pair<StateType, std::string_view> kDtypes[] = {
    {StateType::fp32, "F32"}, {StateType::int64, "I64"}, {StateType::bits16, "U16"}, {StateType::bytes, "U8"}};

[[noreturn]] void refuse_state(const std::string& path, std::string why) {
  throw Error(Status::format, {.what = "this is no saved state of a run",
                               .where = path,
                               .why = std::move(why),
                               .kept = {},
                               .hint = "another checkpoint"});
}

std::string quoted(const std::string& name) { return "'" + name.substr(0, 64) + "'"; }

template <class T>
T value_of(const StateEntry& entry) {
  T value = {};
  std::memcpy(&value, entry.bytes.data(), sizeof value);
  return value;
}

template <class T>
StateEntry entry_of(std::string name, StateType type, T value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  return {std::move(name), type, 1, {first, first + sizeof value}};
}

// Shortest text that is read back as the same number, which JSON has none of for -0, inf and nan.
std::string exact_text(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::optional<double> exact_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

State scalars_of(const File& file, const std::string& path) {
  const std::string* text = file.find_metadata(kStateScalars);
  if (text == nullptr) refuse_state(path, "it has the weights of a model alone");
  const json::Value scalars = json::parse(*text);
  State state;
  for (const auto& [name, value] : scalars.at("integers").as_object()) {
    state.entries.push_back(entry_of(name, StateType::integer, value.as_integer()));
  }
  for (const auto& [name, value] : scalars.at("numbers").as_object()) {
    const std::optional<double> number = exact_number(value.as_string());
    if (!number) refuse_state(path, quoted(name) + " is no number");
    state.entries.push_back(entry_of(name, StateType::number, *number));
  }
  for (const auto& [name, value] : scalars.at("texts").as_object()) {
    const std::string& words = value.as_string();
    const auto* first = reinterpret_cast<const std::byte*>(words.data());
    state.entries.push_back({name, StateType::text, words.size(), {first, first + words.size()}});
  }
  return state;
}

}  // namespace

void add_state(const State& state, File& file) {
  json::Object integers, numbers, texts;
  for (const StateEntry& e : state.entries) {
    if (e.type == StateType::integer) integers.emplace_back(e.name, value_of<std::int64_t>(e));
    if (e.type == StateType::number) numbers.emplace_back(e.name, exact_text(value_of<double>(e)));
    if (e.type == StateType::text) {
      texts.emplace_back(e.name, std::string(reinterpret_cast<const char*>(e.bytes.data()), e.bytes.size()));
    }
    for (const auto& [type, dtype] : kDtypes) {
      if (e.type != type) continue;
      file.tensors.push_back({.name = std::string(kStatePrefix) + e.name,
                              .dtype = std::string(dtype),
                              .shape = {static_cast<std::int64_t>(e.elements)},
                              .bytes = e.bytes});
    }
  }
  file.metadata.emplace_back(std::string(kStateScalars), json::dump(json::Object{{"integers", std::move(integers)},
                                                                                 {"numbers", std::move(numbers)},
                                                                                 {"texts", std::move(texts)}}));
}

State state_of(const File& file, const std::string& path) {
  State state = scalars_of(file, path);
  for (const Tensor& tensor : file.tensors) {
    if (!tensor.name.starts_with(kStatePrefix)) continue;
    const std::string name = tensor.name.substr(kStatePrefix.size());
    std::optional<StateType> type;
    for (const auto& [known, dtype] : kDtypes) {
      if (dtype == tensor.dtype) type = known;
    }
    if (!type || tensor.shape.size() != 1) refuse_state(path, quoted(tensor.name) + " has another type");
    state.entries.push_back({name, *type, static_cast<std::size_t>(tensor.shape[0]),
                             std::vector<std::byte>(tensor.bytes.begin(), tensor.bytes.end())});
  }
  return state;
}

}  // namespace halfstep::internal::io
