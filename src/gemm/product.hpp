// A product as an object: it has a plan and operands, and is run once, alone or together with another.
#pragma once
#include <cstddef>

#include "gemm/context.hpp"

namespace halfstep::internal {

class MatrixProduct {
 public:
  virtual std::size_t tasks() const = 0;
  virtual int threads() const = 0;  // as Executor::run takes them
  // What must be done before the first task, by the thread that runs the product.
  virtual void begin() {}
  // Tasks write to different places, and need nothing of each other.
  virtual void run_task(std::size_t task, int worker) const = 0;

 protected:
  MatrixProduct() = default;
  ~MatrixProduct() = default;
  MatrixProduct(const MatrixProduct&) = default;
  MatrixProduct& operator=(const MatrixProduct&) = default;
};

// Runs a product, whose context is this one.
void run(GemmContext&, MatrixProduct&);
// Two products that need nothing of each other in one run of the executor, so that threads wait once for the last task.
// The tasks of `first` begin first.
void run_together(GemmContext&, MatrixProduct& first, MatrixProduct& second);

}  // namespace halfstep::internal
