// Checkpoints behind their digest. The first byte of the input chooses a run, of the last a network of its bag, the
// rest is lines that change its checkpoint: "i NAME 5", "n NAME inf" and "t NAME text" set numbers and texts of the
// state, "m KEY value" metadata, "a NAME 7" the first byte of an array, "d NAME" drops one, "r NAME NEW" gives one
// another name. The run then goes on with it, and it is used as a model.
#include <charconv>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>

#include "fuzz/job_checks.hpp"
#include "fuzz/support.hpp"
#include "io/safetensors.hpp"
#include "run/checkpoint_file.hpp"
#include "text/json.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr const char* kTable = "a,b,y\n1,x,p\n2,x,q\n3,z,p\n4,z,q\n5,x,p\n6,z,q\n1,,p\n2,z,q\n3,x,q\n4,z,p\n";

constexpr const char* kState = "halfstep.state";
constexpr std::size_t kVariants = 5, kBag = 4;
constexpr const char* kNetwork = "network-1-1.safetensors";

struct Base {
  Options options;
  io::File file;
  json::Value state;  // what is under kState
};

Options options_of(std::size_t variant) {
  Options o;
  o.hidden = {3};
  o.threads = 1;
  o.batch = 3;
  o.steps = 5;
  o.validation = 0.2;
  o.out = fuzz::scratch() / "m.safetensors";
  if (variant == 1) o.norm = Norm::batch, o.dropout = 0.5, o.precision = Dtype::fp16, o.loss_scale = "dynamic";
  if (variant == 2) o.master = MasterKind::kahan, o.moments = Dtype::bf16, o.early_stop = 1;
  if (variant == 3) {
    o.schedule = "plateau", o.ema = 0.9, o.precision = Dtype::fp16, o.loss_scale = "headroom", o.epochs = 2,
    o.steps = 0;
  }
  if (variant == kBag) o.bag = 2, o.validation = 0;
  return o;
}

const std::string& table() {
  static const std::string path = [] {
    const std::string data = fuzz::scratch() / "t.csv";
    test::write_bytes(data, kTable);
    return data;
  }();
  return path;
}

std::string* metadata(io::File& file, std::string_view key) {
  for (auto& [name, value] : file.metadata) {
    if (name == key) return &value;
  }
  return nullptr;
}

Base make_base(std::size_t variant) {
  Base base = {options_of(variant), {}, {}};
  Options o = base.options;
  o.checkpoint_dir = fuzz::scratch() / ("c" + std::to_string(variant));
  TrainObserver observer;
  int steps = 0;
  observer.on_step = [&](const StepRecord&) { ++steps; };
  if (variant != kBag) observer.should_stop = [&] { return steps == 2; };
  const TrainResult result = train(table(), o, observer);
  base.file = io::read_safetensors(variant == kBag ? o.checkpoint_dir + "/" + kNetwork : result.checkpoint);
  base.state = json::parse(*metadata(base.file, kState));
  return base;
}

const Base& base_of(std::size_t variant) {
  static const std::vector<Base> all = {make_base(0), make_base(1), make_base(2), make_base(3), make_base(kBag)};
  return all[variant];
}

// Sets a number or text of the state, under the names of one kind.
void set_scalar(json::Value& state, const char* kind, std::string_view name, json::Value value) {
  for (auto& [group, names] : std::get<json::Object>(state.data)) {
    if (group != kind) continue;
    for (auto& [key, old] : std::get<json::Object>(names.data)) {
      if (key == name) old = value;
    }
  }
}

// A copy of a file that may be changed.
struct Draft {
  io::File file;
  const json::Value& base_state;
  std::optional<json::Value> state = {};  // where a number or text of it is to be another
  std::deque<std::string> storage = {};

  void change(std::string_view line) {
    const std::string_view rest = line.size() > 2 ? line.substr(2) : "";
    const std::size_t space = std::min(rest.find(' '), rest.size());
    const std::string name(rest.substr(0, space)), value(space < rest.size() ? rest.substr(space + 1) : "");
    std::int64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    switch (line.empty() ? ' ' : line[0]) {
      case 'i':
        return set_scalar(changed_state(), "integers", name, number);
      case 'n':
        return set_scalar(changed_state(), "numbers", name, value);
      case 't':
        return set_scalar(changed_state(), "texts", name, value);
      case 'm':
        if (std::string* const old = metadata(file, name)) *old = value;
        if (name == kState) state.reset();
        return;
      default:
        return change_array(line.empty() ? ' ' : line[0], name, value, number);
    }
  }

  void finish() {
    std::string* const text = metadata(file, kState);
    if (state && text) *text = json::dump(*state);
  }

 private:
  json::Value& changed_state() {
    if (!state) state = base_state;
    return *state;
  }

  void change_array(char how, const std::string& name, const std::string& value, std::int64_t number) {
    for (std::size_t i = 0; i < file.tensors.size(); ++i) {
      io::Tensor& tensor = file.tensors[i];
      if (tensor.name != "state." + name) continue;
      if (how == 'd') {
        file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(i));
        return;
      }
      if (how == 'r' && !value.empty() && value.size() < 200) tensor.name = "state." + value;
      if (how != 'a' || tensor.bytes.empty()) return;
      std::string& bytes =
          storage.emplace_back(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
      bytes[static_cast<std::size_t>(number & 0xff) % bytes.size()] = static_cast<char>(number >> 8);
      tensor.bytes = std::as_bytes(std::span(bytes));
      return;
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  const std::size_t variant = draw.below(8) % kVariants;
  const Base& base = base_of(variant);
  std::string_view lines = draw.rest();
  Draft draft = {base.file, base.state};
  // A bag goes on with a folder of networks that have their names.
  static const std::string folder = [] {
    const std::string path = fuzz::scratch() / "bag";
    std::filesystem::create_directory(path);
    return path;
  }();
  const std::string path = variant == kBag ? folder + "/" + kNetwork : fuzz::scratch() / "changed.safetensors";
  const bool written = fuzz::succeeds([&] {
    for (int line = 0; line < 20 && !lines.empty(); ++line) draft.change(fuzz::cut_front(lines, '\n'));
    draft.finish();
    io::write_safetensors(path, draft.file);
  });
  if (!written) return 0;
  fuzz::succeeds([&] { fuzz::require(verify(path).good || !verify(path).why.empty(), "what is bad is said"); });
  Options options = base.options;
  options.resume = variant == kBag ? folder : path;
  fuzz::succeeds([&] { train(table(), options, {}); });
  fuzz::succeeds([&] { predict(path, table(), options_of(0)); });
  return 0;
}
