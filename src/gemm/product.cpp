#include "gemm/product.hpp"

#include <algorithm>

namespace halfstep::internal {

void run(GemmContext& ctx, MatrixProduct& product) {
  product.begin();
  ctx.executor.run(
      product.tasks(), [&](std::size_t task, int worker) { product.run_task(task, worker); }, product.threads(),
      ctx.hooks());
}

void run_together(GemmContext& ctx, MatrixProduct& first, MatrixProduct& second) {
  first.begin();
  second.begin();
  const std::size_t before = first.tasks();
  auto body = [&](std::size_t task, int worker) {
    task < before ? first.run_task(task, worker) : second.run_task(task - before, worker);
  };
  ctx.executor.run(before + second.tasks(), body, std::max(first.threads(), second.threads()), ctx.hooks());
}

}  // namespace halfstep::internal
