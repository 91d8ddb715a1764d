// halfstep's kernels on whole arrays, in parts that stay in L1, as the layers call them.
#include <algorithm>

#include "base/dtype.hpp"
#include "nn/row_chain.hpp"
#include "peers/kernel_case.hpp"

namespace halfstep::peers {

using namespace internal;
namespace {

std::size_t bytes_of(const KernelShape& s) { return s.elements() * size_of(s.dtype); }

Activation activation_of(RowKernel kernel) {
  switch (kernel) {
    case RowKernel::relu:
      return Activation::relu;
    case RowKernel::gelu:
      return Activation::gelu;
    case RowKernel::gelu_tanh:
      return Activation::gelu_tanh;
    case RowKernel::silu:
      return Activation::silu;
    case RowKernel::tanh:
      return Activation::tanh;
    case RowKernel::sigmoid:
      return Activation::sigmoid;
    case RowKernel::layer_norm:
    case RowKernel::softmax:
      break;
  }
  return Activation::identity;
}

// Array to array.
class OurArrays final : public KernelCase {
 public:
  OurArrays(const KernelTable& kernels, Executor& executor, const KernelShape& s)
      : kernels_(kernels), executor_(executor), s_(s), saved_(bytes_of(s)), d_(bytes_of(s)), out_(bytes_of(s)) {
    for (std::size_t i = 0; i < s.elements(); ++i) {
      put_element(s.dtype, saved_.data(), i, saved_value(s, i));
      put_element(s.dtype, d_.data(), i, gradient_value(i));
    }
  }

  void run() override {
    // A softmax wants whole rows.
    const bool rows = s_.kernel == RowKernel::softmax;
    const std::size_t part = rows ? s_.columns : kPart;
    const std::size_t parts = (s_.elements() + part - 1) / part;
    const std::size_t task_parts = std::max<std::size_t>(1, kTask / part);
    auto body = [&](std::size_t task, int) {
      for (std::size_t p = task * task_parts; p < std::min(parts, (task + 1) * task_parts); ++p) {
        work(p * part, std::min(part, s_.elements() - p * part));
      }
    };
    executor_.run((parts + task_parts - 1) / task_parts, body);
  }
  float result(std::size_t element) const override { return element_of(s_.dtype, out_.data(), element); }

 private:
  static constexpr std::size_t kPart = 512, kTask = 16384;
  static constexpr std::size_t kMostColumns = 8192;  // of a softmax

  const std::byte* at(const AlignedBuffer<std::byte>& array, std::size_t first) const {
    return array.data() + first * size_of(s_.dtype);
  }
  void work(std::size_t first, std::size_t n) {
    std::byte* const out = out_.data() + (at(out_, first) - out_.data());
    if (s_.kernel == RowKernel::softmax) return softmax(n, at(saved_, first), out);
    const Activation activation = activation_of(s_.kernel);
    s_.way == Way::forward
        ? kernels_.activate_stored[index_of(s_.dtype)](activation, n, at(saved_, first), out)
        : kernels_.differentiate_stored[index_of(s_.dtype)](activation, n, at(saved_, first), at(d_, first), out);
  }
  void softmax(std::size_t n, const std::byte* logits, std::byte* out) const {
    alignas(kCacheLine) float wide[kMostColumns];
    kernels_.to_fp32[index_of(s_.dtype)](n, logits, wide);
    kernels_.softmax(n, wide, wide);
    kernels_.from_fp32[index_of(s_.dtype)](n, wide, out);
  }

  const KernelTable& kernels_;
  Executor& executor_;
  KernelShape s_;
  AlignedBuffer<std::byte> saved_, d_, out_;
};

// The pass over a layer's rows. On the way back its gradient comes in fp32, from a product, and is used up: later runs
// find that of the run before.
class OurNorm final : public KernelCase {
 public:
  OurNorm(const KernelTable& kernels, Executor& executor, const KernelShape& s)
      : ctx_(kernels, executor), s_(s), z_(bytes_of(s)), out_(bytes_of(s)) {
    chain_.norm = make_row_norm(Norm::layer, "layers.0", s.columns, {.training = true, .rows = pad_rows(s.rows)});
    chain_.norm->initialise();
    for (std::size_t i = 0; i < s.elements(); ++i) put_element(s.dtype, z_.data(), i, saved_value(s, i));
    // Statistics for the way back.
    chain_.forward(pass(), stored(), {}, target());
    if (s.way == Way::forward) return;
    d_ = AlignedBuffer<float>(s.elements());
    sums_ = AlignedBuffer<float>(sum_chunks(s.rows) * s.columns);
    for (std::size_t i = 0; i < s.elements(); ++i) {
      put_element(s.dtype, out_.data(), 0, gradient_value(i));
      d_[i] = element_of(s.dtype, out_.data(), 0);
    }
  }

  void run() override {
    s_.way == Way::forward ? chain_.forward(pass(), stored(), {}, target())
                           : chain_.backward(pass(), stored(), d_.data(), d_.data(), target(), sums_.data());
  }
  float result(std::size_t element) const override { return element_of(s_.dtype, out_.data(), element); }

 private:
  Pass pass() { return {ctx_, s_.rows}; }
  StoredRows stored() const { return {z_.data(), s_.columns, s_.dtype, s_.columns}; }
  StorageTarget target() { return {out_.data(), s_.columns, nullptr, 0, s_.dtype}; }

  GemmContext ctx_;
  KernelShape s_;
  RowChain chain_;
  AlignedBuffer<std::byte> z_, out_;
  AlignedBuffer<float> d_, sums_;
};

}  // namespace

std::unique_ptr<KernelCase> our_kernel(const KernelTable& kernels, Executor& executor, const KernelShape& shape) {
  if (shape.kernel == RowKernel::layer_norm) return std::make_unique<OurNorm>(kernels, executor, shape);
  return std::make_unique<OurArrays>(kernels, executor, shape);
}

}  // namespace halfstep::peers
