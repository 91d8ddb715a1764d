// What the single operations share: threads, memory that is kept, and checks of matrices.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "api/fork_check.hpp"
#include "api/refuse.hpp"
#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "gemm/context.hpp"
#include "gemm/layout.hpp"
#include "gemm/operands.hpp"
#include "halfstep/operations.hpp"
#include "run/machine.hpp"

namespace halfstep {

using namespace internal;

// Memory that grows to the most that was ever asked of it. Not zeroed again.
class Room {
 public:
  std::byte* of(std::size_t bytes) {
    if (buffer_.size() < bytes) buffer_ = AlignedBuffer<std::byte>(bytes);
    return buffer_.data();
  }
  float* floats(std::size_t n) { return reinterpret_cast<float*>(of(n * sizeof(float))); }

 private:
  AlignedBuffer<std::byte> buffer_;
};

struct Operations::Impl {
  explicit Impl(const Options& options) : machine(options), context(*machine.kernels, *machine.executor) {}

  const KernelTable& kernels() const { return *machine.kernels; }
  Executor& executor() { return *machine.executor; }

  // A part of the rows of a matrix that is worth a task.
  template <class F>
  void for_each_rows(std::size_t rows, std::size_t columns, std::size_t grain, F f) {
    constexpr std::size_t kElements = 1 << 14;
    const std::size_t step =
        round_up(std::clamp<std::size_t>(kElements / std::max<std::size_t>(columns, 1), 1, rows + 1), grain);
    executor().run((rows + step - 1) / step,
                   [&](std::size_t task, int worker) { f(task * step, std::min(rows, (task + 1) * step), worker); });
  }

  // y = activation(left W^T + bias) + add. matrix_products.cpp.
  void product(RowsOperand left, const WeightLayout& layout, const std::byte* panels, const MutableMatrix& y,
               const Epilogue& epilogue);

  ForkCheck fork_check;
  Machine machine;
  GemmContext context;
  Room left, right, bias, add, result;  // of products
  Room rows;                            // of workers
};

struct PackedMatrix::Impl {
  Dtype dtype;
  WeightLayout layout;
  AlignedBuffer<std::byte> panels;
};

namespace internal {

inline std::size_t stride_of(std::size_t stride, std::size_t columns) { return stride == 0 ? columns : stride; }

// Throws where (data, rows, columns, dtype, stride) is no matrix in memory. `name` is the parameter.
template <class M>
void check_matrix(const M& m, const char* name) {
  const std::size_t stride = stride_of(m.stride, m.columns), element = size_of(m.dtype);
  if (index_of(m.dtype) >= kDtypes) refuse_at("no such dtype", name);
  if (stride < m.columns) refuse_at("its stride is less than its columns", name);
  if (m.rows == 0 || m.columns == 0) return;
  if (stride > static_cast<std::size_t>(PTRDIFF_MAX) / element / m.rows) refuse_at("larger than any memory", name);
  if (m.data == nullptr) refuse_at("a matrix without data", name);
  if (reinterpret_cast<std::uintptr_t>(m.data) % element != 0)
    refuse_at("its data is not aligned to its element", name);
}

template <class A, class B>
void check_shape(const A& a, const B& like, const char* name) {
  if (a.rows == like.rows && a.columns == like.columns) return;
  refuse_at("it is " + std::to_string(a.rows) + " x " + std::to_string(a.columns) + ", not " +
                std::to_string(like.rows) + " x " + std::to_string(like.columns),
            name);
}

template <class M>
auto row_of(const M& m, std::size_t row) {
  using Byte = std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(m.data)>>, const std::byte, std::byte>;
  return static_cast<Byte*>(m.data) + row * stride_of(m.stride, m.columns) * size_of(m.dtype);
}

}  // namespace internal
}  // namespace halfstep
