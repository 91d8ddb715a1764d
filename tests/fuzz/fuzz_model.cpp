// Model files behind their digest. The input is text: lines of metadata ("halfstep.step 4") and of tensors ("tensor
// layers.0.weight F32 0.5 3 2": dtype, what to fill it with, shape), an empty line, then a table to use the model on.
// Tensors that no line describes are made to fit "halfstep.model", so that a changed width is still a model.
#include <charconv>
#include <cmath>
#include <cstring>
#include <deque>

#include "fuzz/job_checks.hpp"
#include "fuzz/support.hpp"
#include "io/safetensors.hpp"
#include "text/json.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 18;

// A file, and the memory that its tensors point into.
struct Draft {
  io::File file;
  std::deque<std::string> storage;
  std::size_t bytes = 0;

  void add(std::string name, std::string dtype, float fill, std::vector<std::int64_t> shape) {
    if (file.find(name)) return;
    std::size_t size = io::dtype_size(dtype);
    for (const std::int64_t extent : shape) {
      if (extent < 0 || static_cast<std::size_t>(extent) > kMostBytes) return;
      size *= static_cast<std::size_t>(extent);
      if (size > kMostBytes) return;
    }
    if (bytes += size; bytes > kMostBytes) return;
    const int lowest = name.ends_with(".running_var") ? 1 : -3;  // a variance is positive
    std::string& values = storage.emplace_back(size, '\1');
    for (std::size_t i = 0; i + sizeof fill <= size; i += sizeof fill) {
      const float value = fill * static_cast<float>(static_cast<int>(i / sizeof fill % 7) + lowest);
      std::memcpy(values.data() + i, &value, sizeof value);
    }
    file.tensors.push_back({std::move(name), std::move(dtype), std::move(shape), std::as_bytes(std::span(values))});
  }
};

template <class T>
T number(std::string_view text) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void add_line(Draft& draft, std::string_view line) {
  const std::string key(fuzz::cut_front(line, ' '));
  if (key != "tensor") {
    draft.file.metadata.emplace_back(key, line);
    return;
  }
  const std::string name(fuzz::cut_front(line, ' ')), dtype(fuzz::cut_front(line, ' '));
  const auto fill = number<float>(fuzz::cut_front(line, ' '));
  std::vector<std::int64_t> shape;
  while (!line.empty()) shape.push_back(number<std::int64_t>(fuzz::cut_front(line, ' ')));
  draft.add(name, dtype, fill, std::move(shape));
}

void add_fitting(Draft& draft, const json::Value& model) {
  const json::Array& widths = model.at("widths").as_array();
  for (std::size_t i = 0; i + 1 < widths.size() && i < 64; ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    const std::int64_t in = widths[i].as_integer(), out = widths[i + 1].as_integer();
    draft.add(layer + "weight", "F32", 0.25f, {out, in});
    draft.add(layer + "bias", "F32", 0.125f, {out});
    const json::Value* norm = model.find("norm");
    const std::string kind = i + 2 < widths.size() && norm ? norm->as_string() : "none";
    if (kind != "none") draft.add(layer + "gamma", "F32", 0.5f, {out});
    if (kind == "layer" || kind == "batch") draft.add(layer + "beta", "F32", 0.5f, {out});
    if (kind == "batch") draft.add(layer + "running_mean", "F32", 0.5f, {out});
    if (kind == "batch") draft.add(layer + "running_var", "F32", 0.5f, {out});
  }
}

Draft read_draft(std::string_view& text) {
  Draft draft;
  while (!text.empty()) {
    const std::string_view line = fuzz::cut_front(text, '\n');
    if (line.empty()) break;
    add_line(draft, line);
  }
  const std::string* model = draft.file.find_metadata("halfstep.model");
  if (model) fuzz::succeeds([&] { add_fitting(draft, json::parse(*model)); });
  return draft;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view text = fuzz::as_text(bytes, size);
  const Draft draft = read_draft(text);
  const std::string path = fuzz::scratch() / "input.safetensors";
  if (!fuzz::succeeds([&] { io::write_safetensors(path, draft.file); })) return 0;
  if (!fuzz::succeeds([&] { inspect(path); })) return 0;
  fuzz::check_model_file(path);
  const std::string table = fuzz::scratch() / "input.csv";
  test::write_bytes(table, std::string(text));
  Options options;
  options.threads = 1;
  fuzz::check_use(path, table, options);
  return 0;
}
