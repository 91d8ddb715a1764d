#include "nn/network.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "halfstep/error.hpp"
#include "support/isa_loop.hpp"
#include "support/model.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

const NetworkShape kShape = {
    .widths = {17, 65, 33, 10}, .activation = Activation::silu, .dtype = Dtype::bf16, .max_rows = 5};

bool same_bytes(const AlignedBuffer<std::byte>& a, const AlignedBuffer<std::byte>& b) {
  return a.size() == b.size() && (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

TEST_CASE("nn: tensors go out and in again, and the packed weights follow") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      NetworkShape shape = kShape;
      shape.dtype = dtype;
      Network model(shape), copy(shape);
      model.initialise(3, kernels);
      for (Parameter* p : model.parameters()) {
        if (!p->is_matrix()) p->master[p->shape[0] - 1] = 0.25f;
      }
      copy.set_tensors(model.tensors());
      copy.pack_all(kernels);
      CHECK(master_bits(copy) == master_bits(model));
      for (std::size_t i = 0; i < model.parameters().size(); ++i) {
        CHECK(same_bytes(copy.parameters()[i]->packed_forward, model.parameters()[i]->packed_forward));
        CHECK(same_bytes(copy.parameters()[i]->packed_backward, model.parameters()[i]->packed_backward));
      }
    }
  });
}

TEST_CASE("nn: packed weights are the rounded master, in both orders, padding zero") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      NetworkShape shape = kShape;
      shape.dtype = dtype;
      Network model(shape);
      model.initialise(4, kernels);
      std::size_t differing = 0;
      for (const Parameter* p : matrices(model)) {
        const WeightLayout& layout = p->strips;
        for (std::size_t o = 0; o < pad_columns(layout.out); ++o) {
          for (std::size_t i = 0; i < pad_columns(layout.in); ++i) {
            const bool inside = o < layout.out && i < layout.in;
            const std::uint32_t want = inside ? rounded(dtype, p->master[layout.offset(o, i)]) : 0;
            differing += raw(dtype, p->packed_forward.data(), panel_index(dtype, i, o, layout.forward_panel())) != want;
            if (p->block == 0) continue;  // nobody multiplies by the first layer's weights on the way back
            differing +=
                raw(dtype, p->packed_backward.data(), panel_index(dtype, o, i, layout.backward_panel())) != want;
          }
        }
      }
      CHECK(differing == 0);
    }
  });
}

TEST_CASE("nn: a missing or misshapen tensor is an error that names it") {
  Network model(kShape);
  auto tensors = model.tensors();
  CHECK(tensors.size() == 6);
  CHECK(tensors[2].name == "layers.1.weight");
  CHECK(tensors[2].shape == std::vector<std::size_t>{33, 65});
  auto refused = [&](const std::vector<NamedTensor>& wrong) -> std::string {
    try {
      model.set_tensors(wrong);
    } catch (const Error& error) {
      CHECK(error.status() == Status::format);
      return error.what();
    }
    return {};
  };
  auto reshaped = tensors;
  reshaped[2].shape = {65, 33};
  CHECK(refused(reshaped).find("layers.1.weight") != std::string::npos);
  tensors.erase(tensors.begin() + 3);
  CHECK(refused(tensors).find("layers.1.bias") != std::string::npos);
}

TEST_CASE("nn: initial weights are bounded, centred, and the same on every ISA; biases zero") {
  const auto expected = [] {
    Network model(kShape);
    model.initialise(5, *isas().front().table);
    return master_bits(model);
  }();
  for_each_runnable_isa([&](const KernelTable& kernels) {
    Network model(kShape);
    model.initialise(5, kernels);
    CHECK(master_bits(model) == expected);
    const Parameter& weight = parameter(model, "layers.1.weight");
    const double bound = std::sqrt(6.0 / 65);
    double sum = 0, largest = 0;
    for (std::size_t o = 0; o < 33; ++o) {
      for (std::size_t i = 0; i < 65; ++i) {
        const double w = weight.master[weight.strips.offset(o, i)];
        sum += w;
        largest = std::max(largest, std::fabs(w));
      }
    }
    CHECK(largest <= bound * 1.000001);
    CHECK(largest > 0.98 * bound);
    CHECK(std::fabs(sum / (33 * 65)) < 0.05 * bound);
    for (float b : parameter(model, "layers.1.bias").master) CHECK(b == 0);
  });
}

TEST_CASE("nn: sizes") {
  const Network model(kShape);
  CHECK(model.elements() == 17 * 65 + 65 + 65 * 33 + 33 + 33 * 10 + 10);
  CHECK(model.memory().total() > 4 * model.elements());
  NetworkShape inference = kShape;
  inference.training = false;
  CHECK(Network(inference).memory().total() < model.memory().total());
}

}  // namespace
