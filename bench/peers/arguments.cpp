#include "peers/arguments.hpp"

#include <algorithm>
#include <charconv>

#include "halfstep/error.hpp"

namespace halfstep::peers {
namespace {

using Word = std::string_view;

constexpr std::size_t kMostWidth = std::size_t{1} << 20, kMostThreads = 1024, kMostRepetitions = 10000;

struct Flag {
  Word name;
  Word value;  // default
};

// Layers of perceptrons from small batches to large ones, the ten-class head and a ragged one among them.
constexpr Flag kDefaults[] = {
    {"shapes",
     "32x784x512,32x512x512,32x2048x2048,32x130x64,32x512x10,128x784x512,128x512x512,128x2048x2048,128x512x10,"
     "100x130x64,128x64x64,512x784x512,512x1024x1024,512x2048x2048,512x512x10,2048x784x512,2048x1024x1024,"
     "2048x4096x1024"},
    {"layout", "all"},
    {"dtype", "bf16"},
    {"threads", "1,2"},
    {"isa", "auto"},
    {"peers", "all"},
    {"repetitions", "9"},
};

[[noreturn]] void refuse(std::string what, Word flag, std::string hint = "--help") {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = std::string(flag), .why = {}, .kept = {}, .hint = std::move(hint)});
}

std::vector<std::string> split(Word text, char separator) {
  std::vector<std::string> items;
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    items.emplace_back(text.substr(0, end));
    if (end == text.size()) return items;
    text.remove_prefix(end + 1);
  }
}

std::size_t number(const std::string& text, std::size_t most, Word flag) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= most) return value;
  refuse("'" + text + "' is not a whole number from 1 to " + std::to_string(most), flag);
}

Layer layer(const std::string& text) {
  const std::vector<std::string> sizes = split(text, 'x');
  if (sizes.size() != 3) refuse("'" + text + "' is not BATCHxINxOUT", "--shapes", "--shapes 128x784x512");
  return {number(sizes[0], kMostWidth, "--shapes"), number(sizes[1], kMostWidth, "--shapes"),
          number(sizes[2], kMostWidth, "--shapes")};
}

// Those of `all` that the list names; "all" stands for each.
template <class T, std::size_t N>
std::vector<T> choices(Word list, const T (&all)[N], Word flag) {
  std::vector<T> out;
  for (const std::string& item : split(list, ',')) {
    const std::size_t before = out.size();
    for (const T value : all) {
      if (item == "all" || item == name(value)) out.push_back(value);
    }
    if (out.size() > before) continue;
    std::string known = "all";
    for (const T value : all) known += ", " + std::string(name(value));
    refuse("unknown name '" + item + "'", flag, known);
  }
  return out;
}

Arguments interpret(std::span<const Flag> flags) {
  const auto value = [&](Word name) {
    return std::find_if(flags.begin(), flags.end(), [&](const Flag& f) { return f.name == name; })->value;
  };
  constexpr Product kProducts[] = {Product::forward, Product::input_gradient, Product::weight_gradient};
  constexpr Dtype kDtypes[] = {Dtype::bf16, Dtype::fp16, Dtype::fp32};
  Arguments a;
  for (const std::string& text : split(value("shapes"), ',')) a.layers.push_back(layer(text));
  a.products = choices(value("layout"), kProducts, "--layout");
  a.dtypes = choices(value("dtype"), kDtypes, "--dtype");
  for (const std::string& text : split(value("threads"), ',')) {
    a.threads.push_back(static_cast<int>(number(text, kMostThreads, "--threads")));
  }
  if (value("peers") != "all") a.peers = split(value("peers"), ',');
  a.isa = value("isa");
  a.repetitions = static_cast<int>(number(std::string(value("repetitions")), kMostRepetitions, "--repetitions"));
  return a;
}

}  // namespace

const char* const kUsage =
    "usage: bench_gemm_peers [flags]\n"
    "Matrix products of halfstep and of the libraries it was built with, interleaved in one process.\n"
    "  --shapes LIST       layers, BATCHxINxOUT each (default: 18 from 32x130x64 to 2048x4096x1024)\n"
    "  --layout LIST       forward, dgrad, wgrad, all (default: all)\n"
    "  --dtype LIST        bf16, fp16, fp32, all (default: bf16)\n"
    "  --threads LIST      numbers of threads (default: 1,2)\n"
    "  --isa NAME          halfstep's instruction set (default: auto)\n"
    "  --peers LIST        onednn_plain, onednn_packed, openblas, eigen, all (default: all)\n"
    "  --repetitions N     interleaved repetitions that the medians are taken of (default: 9)\n"
    "  --json              one object a line\n";

Arguments parse_arguments(std::span<const Word> words) {
  std::vector<Flag> flags(std::begin(kDefaults), std::end(kDefaults));
  bool json = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Word word = words[i], shown = word.substr(0, word.find('='));
    if (word == "--help" || word == "-h") return {.help = true};
    if (word == "--json") {
      json = true;
      continue;
    }
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&](const Flag& f) { return shown.starts_with("--") && shown.substr(2) == f.name; });
    if (flag == flags.end()) refuse("unknown argument", shown);
    if (shown.size() < word.size()) {
      flag->value = word.substr(shown.size() + 1);
    } else if (++i < words.size()) {
      flag->value = words[i];
    } else {
      refuse("a value is missing", shown);
    }
  }
  Arguments a = interpret(flags);
  a.json = json;
  return a;
}

}  // namespace halfstep::peers
