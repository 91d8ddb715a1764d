// Capsules behind their digest. The first byte of the input chooses a step, the rest is lines that change its capsule:
// "c KEY JSON" sets an entry of the step's description, "m KEY JSON" metadata, "v NAME 5 1e30" a number of a tensor,
// "d NAME" drops one. The doctor then looks at it.
#include <charconv>
#include <cstring>
#include <deque>

#include "fuzz/support.hpp"
#include "halfstep/diagnosis.hpp"
#include "halfstep/jobs.hpp"
#include "io/safetensors.hpp"
#include "text/json.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr const char* kClasses = "a,b,y\n1,x,p\n2,x,q\n3,z,p\n4,z,q\n5,x,p\n6,z,q\n1,,p\n2,z,q\n3,x,q\n4,z,p\n";
constexpr const char* kNumbers = "a,y\n1.5,2\n2.5,4\n3.5,6\n4.5,8\n5.5,9\n6.5,12\n1e30,3\n2.25,4\n3.75,7\n0.5,1\n";

io::File make_base(std::size_t variant) {
  Options o;
  o.hidden = {3, 3};
  o.threads = 1;
  o.batch = 4;
  o.steps = 3;
  o.precision = Dtype::fp16;
  o.out = fuzz::scratch() / "m.safetensors";
  o.capsule = fuzz::scratch() / "capsule.safetensors";
  o.loss_scale = "16777216";
  o.max_skip_rate = 1;
  if (variant == 1) o.norm = Norm::batch, o.dropout = 0.5;
  if (variant == 2) o.standardize = "none", o.loss_scale = "none";
  if (variant == 3) o.layer = "gated", o.accumulate = 2, o.weight_decay = 0;
  const std::string data = fuzz::scratch() / "t.csv";
  test::write_bytes(data, variant == 2 ? kNumbers : kClasses);
  fuzz::succeeds([&] { train(data, o, {}); });
  return io::read_safetensors(o.capsule);
}

const io::File& base_of(std::size_t variant) {
  static const std::vector<io::File> all = {make_base(0), make_base(1), make_base(2), make_base(3)};
  return all[variant];
}

// A copy of a file that may be changed.
struct Draft {
  io::File file;
  std::deque<std::string> storage;

  void change(std::string_view line) {
    const std::string_view rest = line.size() > 2 ? line.substr(2) : "";
    const std::size_t space = std::min(rest.find(' '), rest.size());
    const std::string name(rest.substr(0, space)), value(space < rest.size() ? rest.substr(space + 1) : "");
    const char how = line.empty() ? ' ' : line[0];
    if (how == 'c') return set_entry(name, value);
    if (how == 'm') return set_metadata(name, value);
    if (how == 'd') std::erase_if(file.tensors, [&](const io::Tensor& t) { return t.name == name; });
    if (how == 'v') set_number(name, value);
  }

 private:
  void set_metadata(const std::string& key, const std::string& value) {
    for (auto& [name, text] : file.metadata) {
      if (name == key) text = value;
    }
  }
  void set_entry(const std::string& key, const std::string& value) {
    for (auto& [name, text] : file.metadata) {
      if (name != "halfstep.capsule") continue;
      json::Value all = json::parse(text);
      for (auto& [entry, old] : std::get<json::Object>(all.data)) {
        if (entry == key) old = json::parse(value);
      }
      text = json::dump(all);
    }
  }
  void set_number(const std::string& name, const std::string& value) {
    std::size_t at = 0;
    const char* const end = value.data() + value.size();
    const auto index = std::from_chars(value.data(), end, at);
    float number = 0;
    if (index.ptr < end) std::from_chars(index.ptr + 1, end, number);
    for (io::Tensor& t : file.tensors) {
      if (t.name != name || t.bytes.size() < sizeof number) continue;
      std::string& bytes = storage.emplace_back(reinterpret_cast<const char*>(t.bytes.data()), t.bytes.size());
      std::memcpy(bytes.data() + at % (bytes.size() / sizeof number) * sizeof number, &number, sizeof number);
      t.bytes = std::as_bytes(std::span(bytes));
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  Draft draft = {base_of(draw.below(4)), {}};
  std::string_view lines = draw.rest();
  const std::string path = fuzz::scratch() / "changed.safetensors";
  const bool written = fuzz::succeeds([&] {
    for (int line = 0; line < 20 && !lines.empty(); ++line) draft.change(fuzz::cut_front(lines, '\n'));
    io::write_safetensors(path, draft.file);
  });
  if (!written) return 0;
  Options options;
  options.threads = 1;
  fuzz::succeeds([&] {
    const Diagnosis d = diagnose(path, options);
    fuzz::require(d.kind == "capsule", "a capsule is one");
    fuzz::require(!text(d.incident).empty(), "an incident has words");
  });
  return 0;
}
