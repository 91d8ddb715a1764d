// One elementwise or row kernel of a library, on arrays of its own.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "bench/operands.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"

namespace halfstep::peers {

using namespace internal;

enum class RowKernel { relu, gelu, gelu_tanh, silu, tanh, sigmoid, layer_norm, softmax };
enum class Way { forward, backward };

std::string_view name(RowKernel kernel);
std::string_view name(Way way);

struct KernelShape {
  RowKernel kernel;
  Way way;
  Dtype dtype;  // of what is read and written
  std::size_t rows, columns;
  std::size_t elements() const { return rows * columns; }
};

class KernelCase {
 public:
  virtual ~KernelCase() = default;
  virtual void run() = 0;
  virtual float result(std::size_t element) const = 0;  // of the first run
};

// What every contender is given: the input, or the output where the derivative follows from it; and the gradient.
float saved_value(const KernelShape& shape, std::size_t element);
float gradient_value(std::size_t element);
// In memory of any dtype, packed.
float element_of(Dtype dtype, const void* data, std::size_t element);
void put_element(Dtype dtype, void* data, std::size_t element, float value);

std::unique_ptr<KernelCase> our_kernel(const KernelTable& kernels, Executor& executor, const KernelShape& shape);
// Null where the library has no such kernel on this CPU.
std::unique_ptr<KernelCase> onednn_kernel(const KernelShape& shape);

}  // namespace halfstep::peers
