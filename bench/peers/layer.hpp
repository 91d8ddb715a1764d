// A dense layer, and its three products as shapes.
#pragma once
#include <cstddef>
#include <string>

#include "halfstep/bench.hpp"

namespace halfstep::peers {

struct Layer {
  std::size_t batch = 0, in = 0, out = 0;

  std::string text() const { return std::to_string(batch) + "x" + std::to_string(in) + "x" + std::to_string(out); }
};

inline GemmBenchShape shape_of(const Layer& l, Product product, Dtype dtype) {
  switch (product) {
    case Product::forward:
      return {product, dtype, l.batch, l.out, l.in};
    case Product::input_gradient:
      return {product, dtype, l.batch, l.in, l.out};
    case Product::weight_gradient:
      return {product, dtype, l.out, l.in, l.batch};
  }
  return {};
}

inline Layer layer_of(const GemmBenchShape& s) {
  switch (s.product) {
    case Product::forward:
      return {s.m, s.k, s.n};
    case Product::input_gradient:
      return {s.m, s.n, s.k};
    case Product::weight_gradient:
      return {s.k, s.n, s.m};
  }
  return {};
}

}  // namespace halfstep::peers
