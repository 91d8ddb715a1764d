// A small model with its data, for tests of whole networks and steps.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "loss/loss.hpp"
#include "nn/network.hpp"
#include "support/numbers.hpp"
#include "support/reference.hpp"

namespace halfstep::test {

using namespace internal;

// Inputs and targets of one batch. Labels follow from the inputs, so that there is something to learn.
struct Examples {
  std::size_t rows, inputs, outputs;
  std::vector<float> x, values;
  std::vector<std::int32_t> labels;

  Examples(std::size_t r, std::size_t in, std::size_t out) : rows(r), inputs(in), outputs(out) {
    const AlignedBuffer<float> random = random_floats(r * in, 70);
    x.assign(random.begin(), random.end());
    for (std::size_t i = 0; i < r; ++i) {
      std::size_t best = 0;
      for (std::size_t o = 0; o < out; ++o) {
        values.push_back(x[i * in + o % in] - 0.5f * x[i * in + (o + 1) % in]);
        if (values[i * out + o] > values[i * out + best]) best = o;
      }
      labels.push_back(static_cast<std::int32_t>(out == 1 ? values[i] > 0 : best));
    }
  }
  Targets targets() const { return {labels.data(), values.data()}; }
  ReferenceTargets reference() const { return {labels, {values.begin(), values.end()}, 1.0}; }
};

// Writes the batch where the model expects it; rows beyond it become zero.
inline void set_input(Network& model, const Examples& e) {
  Activations& in = model.input();
  const Dtype dtype = in.dtype;
  std::memset(in.rows.data(), 0, in.rows.size());
  if (in.panels.size()) std::memset(in.panels.data(), 0, in.panels.size());
  for (std::size_t r = 0; r < e.rows; ++r) {
    for (std::size_t i = 0; i < e.inputs; ++i) {
      put(dtype, in.rows.data(), r * in.ld + i, e.x[r * e.inputs + i]);
      if (in.panels.size())
        put(dtype, in.panels.data(), panel_index(dtype, r, i, in.panel_stride), e.x[r * e.inputs + i]);
    }
  }
}

// The parameter of that name: "layers.0.weight".
inline Parameter& parameter(const Network& model, std::string_view name) {
  for (Parameter* p : model.parameters()) {
    if (p->name == name) return *p;
  }
  FAIL("no parameter " << name);
  std::abort();
}

// The matrices of the network, in order.
inline std::vector<Parameter*> matrices(const Network& model) {
  std::vector<Parameter*> out;
  for (Parameter* p : model.parameters()) {
    if (p->is_matrix()) out.push_back(p);
  }
  return out;
}

// What the last pass has left in memory: the last of that name, so "layers.0.output" is what the next layer reads.
inline const StoredSignal& signal(const Network& model, std::string_view name) {
  const StoredSignal* found = nullptr;
  for (const StoredSignal& s : model.signals()) {
    if (s.name == name) found = &s;
  }
  REQUIRE(found != nullptr);
  return *found;
}

// Nothing at all moved: every weight and bias, bit for bit.
inline std::vector<std::uint32_t> master_bits(const Network& model) {
  std::vector<std::uint32_t> out;
  for (const NamedTensor& t : model.tensors()) {
    for (float v : t.values) out.push_back(bits_of(v));
  }
  return out;
}

}  // namespace halfstep::test
