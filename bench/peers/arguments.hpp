// The command line of bench_gemm_peers.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/bench.hpp"
#include "peers/layer.hpp"

namespace halfstep::peers {

struct Arguments {
  std::vector<Layer> layers;
  std::vector<Product> products;
  std::vector<Dtype> dtypes;
  std::vector<int> threads;
  std::vector<std::string> peers;  // empty: all
  std::string isa;
  int repetitions = 0;
  bool json = false;
  bool help = false;
};

extern const char* const kUsage;

// Throws Error(invalid_argument).
Arguments parse_arguments(std::span<const std::string_view> words);

}  // namespace halfstep::peers
