#include "peers/arguments.hpp"

#include "peers/flags.hpp"

namespace halfstep::peers {
namespace {

constexpr std::size_t kMostWidth = std::size_t{1} << 20, kMostRepetitions = 10000;

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

Layer layer(const std::string& text) {
  const std::vector<std::string> sizes = split(text, 'x');
  if (sizes.size() != 3) refuse("'" + text + "' is not BATCHxINxOUT", "--shapes", "--shapes 128x784x512");
  return {number(sizes[0], kMostWidth, "--shapes"), number(sizes[1], kMostWidth, "--shapes"),
          number(sizes[2], kMostWidth, "--shapes")};
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

Arguments parse_arguments(std::span<const std::string_view> words) {
  constexpr Product kProducts[] = {Product::forward, Product::input_gradient, Product::weight_gradient};
  constexpr Dtype kDtypes[] = {Dtype::bf16, Dtype::fp16, Dtype::fp32};
  std::vector<Flag> flags(std::begin(kDefaults), std::end(kDefaults));
  const Switches switches = read_flags(words, flags);
  Arguments a;
  a.json = switches.json;
  a.help = switches.help;
  if (a.help) return a;
  for (const std::string& text : split(value_of(flags, "shapes"), ',')) a.layers.push_back(layer(text));
  a.products = choices(value_of(flags, "layout"), kProducts, "--layout");
  a.dtypes = choices(value_of(flags, "dtype"), kDtypes, "--dtype");
  a.threads = thread_numbers(value_of(flags, "threads"));
  if (value_of(flags, "peers") != "all") a.peers = split(value_of(flags, "peers"), ',');
  a.isa = value_of(flags, "isa");
  const std::string repetitions(value_of(flags, "repetitions"));
  a.repetitions = static_cast<int>(number(repetitions, kMostRepetitions, "--repetitions"));
  return a;
}

}  // namespace halfstep::peers
