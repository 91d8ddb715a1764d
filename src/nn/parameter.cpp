#include "nn/parameter.hpp"

#include <algorithm>

#include "base/dtype.hpp"
#include "base/float16.hpp"
#include "gemm/gemm.hpp"

namespace halfstep::internal {
namespace {

std::byte* forward_block(Parameter& p, std::size_t strip, std::size_t block) {
  return p.packed_forward.data() +
         (strip * p.strips.forward_panel() + block * kBlockColumns * kLanes) * size_of(p.storage);
}

float packed_value(const Parameter& p, std::size_t out, std::size_t in) {
  const std::uint16_t word = reinterpret_cast<const std::uint16_t*>(p.packed_forward.data())[p.packed_index(out, in)];
  return p.storage == Dtype::bf16 ? to_fp32(Bf16{word}) : to_fp32(Fp16{word});
}

}  // namespace

Parameter make_matrix(std::string name, WeightLayout layout, Dtype storage, const ParameterUse& use) {
  Parameter p;
  p.name = std::move(name);
  p.shape = {layout.out, layout.in};
  p.strips = layout;
  p.storage = storage;
  p.has_master = use.has_master || storage == Dtype::fp32;
  p.master = AlignedBuffer<float>(p.size());
  p.packed_forward = AlignedBuffer<std::byte>(p.size() * size_of(storage));
  if (!use.training) return p;
  p.gradient = AlignedBuffer<float>(p.size());
  if (use.passes_gradient) p.packed_backward = AlignedBuffer<std::byte>(p.size() * size_of(storage));
  p.squares = AlignedBuffer<double>(layout.strips() * layout.blocks());
  return p;
}

Parameter make_vector(std::string name, std::size_t elements, ParameterRole role, const ParameterUse& use) {
  Parameter p;
  p.name = std::move(name);
  p.shape = {elements};
  p.role = role;
  p.layout = ParameterLayout::vector;
  p.master = AlignedBuffer<float>(p.size());
  if (!p.is_trained()) {
    p.pending = AlignedBuffer<float>(p.size());
  } else if (use.training) {
    p.gradient = AlignedBuffer<float>(p.size());
    p.squares = AlignedBuffer<double>(1);
    p.sums = AlignedBuffer<float>(sum_chunks(use.rows) * p.size());
  }
  return p;
}

void sum_vector_gradient(const KernelTable& kernels, Parameter& p, std::size_t rows, bool accumulate) {
  const std::size_t n = p.size();
  if (!accumulate) std::fill(p.gradient.begin(), p.gradient.end(), 0.0f);
  for (std::size_t chunk = 0; chunk < sum_chunks(rows); ++chunk) {
    kernels.add(n, p.sums.data() + chunk * n, p.gradient.data());
  }
  p.squares[0] = kernels.sum_squares(n, p.gradient.data());
}

void Parameter::borrow(const Parameter& from) {
  packed_forward = AlignedBuffer<std::byte>::borrowed(from.packed_forward);
  packed_backward = {};
  master = AlignedBuffer<float>::borrowed(from.master);
  pending = {};
}

float* Parameter::matrix_block(const KernelTable& kernels, std::size_t strip, std::size_t block, float* scratch) {
  if (master.size() > 0) return master.data() + strips.block_offset(strip, block);
  kernels.unpack_strip[index_of(storage)](strips.block_columns(block), forward_block(*this, strip, block), scratch);
  return scratch;
}

void Parameter::pack_block(const KernelTable& kernels, std::size_t strip, std::size_t block, const float* values) {
  std::byte* backward = nullptr;
  if (packed_backward.size() > 0) {
    const std::size_t panel = block * kBlockColumns / kLanes;
    backward = packed_backward.data() + (panel * strips.backward_panel() + strip * kLanes * kLanes) * size_of(storage);
  }
  kernels.pack_strip[index_of(storage)](strips.block_columns(block), values, forward_block(*this, strip, block),
                                        backward, strips.backward_panel());
}

void Parameter::pack(const KernelTable& kernels) {
  if (!is_matrix()) return;
  for (std::size_t s = 0; s < strips.strips(); ++s) {
    for (std::size_t b = 0; b < strips.blocks(); ++b) {
      pack_block(kernels, s, b, master.data() + strips.block_offset(s, b));
    }
  }
  drop_master();
}

void Parameter::repack(const KernelTable& kernels) {
  alignas(kCacheLine) float scratch[kLanes * kBlockColumns];
  for (std::size_t s = 0; s < strips.strips(); ++s) {
    for (std::size_t b = 0; b < strips.blocks(); ++b) pack_block(kernels, s, b, matrix_block(kernels, s, b, scratch));
  }
}

void Parameter::drop_master() {
  if (!has_master) master = {};
}

// Panels over out (kernels/table.hpp).
std::size_t Parameter::packed_index(std::size_t out, std::size_t in) const {
  const std::size_t lane = out % kLanes;
  const std::size_t place = storage == Dtype::bf16 ? in / 2 * 2 * kLanes + 2 * lane + in % 2 : in * kLanes + lane;
  return out / kLanes * strips.forward_panel() + place;
}

std::vector<float> Parameter::values() const {
  if (!is_matrix()) return {master.begin(), master.begin() + shape[0]};
  std::vector<float> out;
  out.reserve(elements());
  for (std::size_t o = 0; o < strips.out; ++o) {
    for (std::size_t i = 0; i < strips.in; ++i) {
      out.push_back(master.size() > 0 ? master[strips.offset(o, i)] : packed_value(*this, o, i));
    }
  }
  return out;
}

void Parameter::set_values(std::span<const float> values) {
  if (master.size() == 0) master = AlignedBuffer<float>(size());
  if (!is_matrix()) {
    std::copy(values.begin(), values.end(), master.begin());
    return discard_pending();
  }
  for (std::size_t o = 0; o < strips.out; ++o) {
    for (std::size_t i = 0; i < strips.in; ++i) master[strips.offset(o, i)] = values[o * strips.in + i];
  }
}

void Parameter::commit_pending() {
  if (role == ParameterRole::statistic) copy_all(pending, master);
}
void Parameter::discard_pending() {
  if (role == ParameterRole::statistic) copy_all(master, pending);
}

}  // namespace halfstep::internal
