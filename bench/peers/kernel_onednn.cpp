// oneDNN's eltwise, layer_normalization and softmax, 2.x.
#include <dnnl.hpp>
#include <unordered_map>

#include "peers/kernel_case.hpp"

namespace halfstep::peers {
namespace {

using Arguments = std::unordered_map<int, dnnl::memory>;
using dnnl::prop_kind;

constexpr float kEpsilon = 1e-5f;

dnnl::memory::data_type to_dnnl(Dtype dtype) {
  if (dtype == Dtype::bf16) return dnnl::memory::data_type::bf16;
  if (dtype == Dtype::fp16) return dnnl::memory::data_type::f16;
  return dnnl::memory::data_type::f32;
}

// On the way back the derivative follows from what halfstep takes it from.
struct Eltwise {
  dnnl::algorithm forward, backward;
  bool from_output;
};
Eltwise eltwise_of(RowKernel kernel) {
  using dnnl::algorithm;
  switch (kernel) {
    case RowKernel::relu:
      return {algorithm::eltwise_relu, algorithm::eltwise_relu_use_dst_for_bwd, true};
    case RowKernel::gelu:
      return {algorithm::eltwise_gelu_erf, algorithm::eltwise_gelu_erf, false};
    case RowKernel::gelu_tanh:
      return {algorithm::eltwise_gelu_tanh, algorithm::eltwise_gelu_tanh, false};
    case RowKernel::silu:
      return {algorithm::eltwise_swish, algorithm::eltwise_swish, false};
    case RowKernel::tanh:
      return {algorithm::eltwise_tanh, algorithm::eltwise_tanh_use_dst_for_bwd, true};
    case RowKernel::sigmoid:
      return {algorithm::eltwise_logistic, algorithm::eltwise_logistic_use_dst_for_bwd, true};
    case RowKernel::layer_norm:
    case RowKernel::softmax:
      break;
  }
  throw dnnl::error(dnnl_unimplemented, "not an eltwise");
}

class OnednnKernel final : public KernelCase {
 public:
  explicit OnednnKernel(const KernelShape& s) : s_(s), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    const auto rows = static_cast<dnnl::memory::dim>(s.rows), columns = static_cast<dnnl::memory::dim>(s.columns);
    desc_ = {{rows, columns}, to_dnnl(s.dtype), dnnl::memory::format_tag::ab};
    saved_ = dnnl::memory(desc_, engine_);
    d_ = dnnl::memory(desc_, engine_);
    out_ = dnnl::memory(desc_, engine_);
    for (std::size_t i = 0; i < s.elements(); ++i) {
      put_element(s.dtype, saved_.get_data_handle(), i, saved_value(s, i));
      put_element(s.dtype, d_.get_data_handle(), i, gradient_value(i));
    }
    if (s.kernel == RowKernel::layer_norm) {
      plan_layer_norm(rows, columns);
    } else if (s.kernel == RowKernel::softmax) {
      const dnnl::softmax_forward::desc wanted(prop_kind::forward_training, desc_, 1);
      primitive_ = dnnl::softmax_forward(dnnl::softmax_forward::primitive_desc(wanted, engine_));
      arguments_ = {{DNNL_ARG_SRC, saved_}, {DNNL_ARG_DST, out_}};
    } else {
      plan_eltwise();
    }
  }

  void run() override {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }
  float result(std::size_t element) const override { return element_of(s_.dtype, out_.get_data_handle(), element); }

 private:
  void plan_eltwise() {
    const Eltwise e = eltwise_of(s_.kernel);
    const bool forward = s_.way == Way::forward;
    const float alpha = s_.kernel == RowKernel::silu ? 1.0f : 0.0f;
    const dnnl::eltwise_forward::desc wanted(prop_kind::forward_training, forward ? e.forward : e.backward, desc_,
                                             alpha, 0);
    const dnnl::eltwise_forward::primitive_desc hint(wanted, engine_);
    if (forward) {
      primitive_ = dnnl::eltwise_forward(hint);
      arguments_ = {{DNNL_ARG_SRC, saved_}, {DNNL_ARG_DST, out_}};
      return;
    }
    const dnnl::eltwise_backward::desc back(e.backward, desc_, desc_, alpha, 0);
    primitive_ = dnnl::eltwise_backward(dnnl::eltwise_backward::primitive_desc(back, engine_, hint));
    arguments_ = {
        {e.from_output ? DNNL_ARG_DST : DNNL_ARG_SRC, saved_}, {DNNL_ARG_DIFF_DST, d_}, {DNNL_ARG_DIFF_SRC, out_}};
  }

  dnnl::memory floats(dnnl::memory::dim n, float value) {
    dnnl::memory m({{n}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a}, engine_);
    for (dnnl::memory::dim i = 0; i < n; ++i) static_cast<float*>(m.get_data_handle())[i] = value;
    return m;
  }

  void plan_layer_norm(dnnl::memory::dim rows, dnnl::memory::dim columns) {
    const auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
    const dnnl::layer_normalization_forward::desc wanted(prop_kind::forward_training, desc_, kEpsilon, flags);
    const dnnl::layer_normalization_forward::primitive_desc hint(wanted, engine_);
    const dnnl::memory gamma = floats(columns, 1), beta = floats(columns, 0);
    arguments_ = {{DNNL_ARG_SRC, saved_},           {DNNL_ARG_DST, out_},
                  {DNNL_ARG_MEAN, floats(rows, 0)}, {DNNL_ARG_VARIANCE, floats(rows, 0)},
                  {DNNL_ARG_SCALE, gamma},          {DNNL_ARG_SHIFT, beta}};
    primitive_ = dnnl::layer_normalization_forward(hint);
    if (s_.way == Way::forward) return;
    run();  // statistics for the way back
    const dnnl::layer_normalization_backward::desc back(prop_kind::backward, desc_, desc_, kEpsilon, flags);
    primitive_ =
        dnnl::layer_normalization_backward(dnnl::layer_normalization_backward::primitive_desc(back, engine_, hint));
    arguments_.erase(DNNL_ARG_DST);
    arguments_.insert({{DNNL_ARG_DIFF_DST, d_},
                       {DNNL_ARG_DIFF_SRC, out_},
                       {DNNL_ARG_DIFF_SCALE, floats(columns, 0)},
                       {DNNL_ARG_DIFF_SHIFT, floats(columns, 0)}});
  }

  KernelShape s_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::memory::desc desc_;
  dnnl::memory saved_, d_, out_;
  dnnl::primitive primitive_;
  Arguments arguments_;
};

}  // namespace

std::unique_ptr<KernelCase> onednn_kernel(const KernelShape& shape) {
  try {
    return std::make_unique<OnednnKernel>(shape);
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_unimplemented) return nullptr;
    throw;
  }
}

}  // namespace halfstep::peers
