// One tensor that a network learns or follows, with all that belongs to it. Whoever needs every tensor of a network
// (update, clipping, last good weights, incidents, digest, memory plan, model file) loops over a list of these.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "gemm/layout.hpp"
#include "halfstep/types.hpp"
#include "kernels/table.hpp"

namespace halfstep::internal {

// A statistic is followed beside training (BatchNorm's running mean), not trained.
enum class ParameterRole : std::uint8_t { weight, bias, gain, statistic };

// strips: a matrix as WeightLayout has it, packed for the products. vector: elements in order, padded to 16, always
// fp32.
enum class ParameterLayout : std::uint8_t { strips, vector };

struct Parameter {
  std::string name;                // as model files have it: "layers.0.weight"
  std::vector<std::size_t> shape;  // [out, in] or [n], without padding
  ParameterRole role = ParameterRole::weight;
  ParameterLayout layout = ParameterLayout::strips;
  WeightLayout strips;          // of a matrix
  Dtype storage = Dtype::fp32;  // of the packed copies
  bool has_master = true;       // false: the packed copies are all there is once they are packed
  bool decays = true;           // by the optimizer's weight_decay
  bool embeds = false;          // of what a table's columns pass through before the first block
  std::size_t block = 0;        // of the network, whose parameter it is

  AlignedBuffer<float> master;    // in `layout`; empty without one
  AlignedBuffer<float> gradient;  // scaled, in `layout`; empty where nothing is trained
  AlignedBuffer<double> squares;  // sum of squares of each block of a matrix's gradient, or of a vector's
  AlignedBuffer<float> sums;      // of a trained vector: [sum_chunks(rows)][size()], the gradient by chunks of rows
  AlignedBuffer<float> pending;   // of a statistic: its values if the step that runs is applied
  AlignedBuffer<std::byte> packed_forward, packed_backward;  // of a matrix; the latter where its gradient goes further

  bool is_trained() const { return role != ParameterRole::statistic; }
  bool is_matrix() const { return layout == ParameterLayout::strips; }
  std::size_t size() const { return is_matrix() ? strips.size() : pad_columns(shape[0]); }  // with padding
  std::size_t elements() const { return is_matrix() ? strips.out * strips.in : shape[0]; }

  // One 16-row block of a matrix in fp32: of the master, or the packed weights widened into `scratch`
  // [kLanes * kBlockColumns].
  float* matrix_block(const KernelTable&, std::size_t strip, std::size_t block, float* scratch);
  // Packs that block from `values`, rounded to `storage`.
  void pack_block(const KernelTable&, std::size_t strip, std::size_t block, const float* values);
  // All blocks of a matrix from `master`, which is given back where `has_master` is false. Of a vector: nothing.
  void pack(const KernelTable&);
  void drop_master();  // does only the latter
  // packed_backward from packed_forward, which alone is all there is of a matrix without a master.
  void repack(const KernelTable&);

  // Row-major values: of the master, or of the packed weights.
  std::vector<float> values() const;
  // The reverse, into `master`; pack() is the caller's to call.
  void set_values(std::span<const float> values);
  // For forward passes alone: reads what another of the same shape has packed, and has no memory of its own.
  void borrow(const Parameter& from);
  // A statistic: what is pending becomes, or is set back to, its value. Of other parameters: nothing.
  void commit_pending();
  void discard_pending();

  // Index of element (out, in) in packed_forward.
  std::size_t packed_index(std::size_t out, std::size_t in) const;
};

// What a parameter is allocated for.
struct ParameterUse {
  bool training = true;
  std::size_t rows = 0;         // of the largest batch, even
  bool has_master = true;       // of matrices in 16 bits
  bool passes_gradient = true;  // of a matrix: the gradient by its input is wanted
};

Parameter make_matrix(std::string name, WeightLayout layout, Dtype storage, const ParameterUse& use);
Parameter make_vector(std::string name, std::size_t elements, ParameterRole role, const ParameterUse& use);

// The gradient of a vector from its sums of the first `rows` rows, and its sum of squares. `accumulate`: adds to it.
void sum_vector_gradient(const KernelTable&, Parameter& vector, std::size_t rows, bool accumulate);

}  // namespace halfstep::internal
