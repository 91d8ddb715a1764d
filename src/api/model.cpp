#include <algorithm>

#include "api/model_impl.hpp"
#include "data/target_columns.hpp"
#include "halfstep/predictor.hpp"
#include "kernels/dispatch.hpp"
#include "run/output_meaning.hpp"

namespace halfstep {

using namespace internal;

Model::Impl::Impl(SavedModel model, const KernelTable& table)
    : saved(std::move(model)),
      kernels(table),
      meaning(output_meaning(saved)),
      weights(networks_of(saved, {.max_rows = 1, .master = false}, kernels)) {
  for (const Network& network : weights) {
    for (Parameter* p : network.parameters()) {
      if (p->is_matrix()) p->master = {};  // of fp32 too: products read what is packed
    }
  }
  saved.tensors = {};
}

Model::Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Model::Model(const std::string& path, const Options& options)
    : impl_(std::make_shared<const Impl>(load_model(path), select_isa(options.isa, options.math))) {}

const ModelSpec& Model::spec() const { return impl_->saved.spec; }
const std::vector<std::string>& Model::class_names() const { return impl_->saved.preprocessor.classes(); }
std::vector<std::string> Model::target_names() const {
  const data::Preprocessor& p = impl_->saved.preprocessor;
  return p.task() == Task::classify ? std::vector<std::string>() : data::target_names(p.targets());
}

std::vector<float> Model::predict(std::span<const float> x) const {
  constexpr std::size_t kMostRows = 512;
  const std::size_t rows = x.size() / spec().widths.front();
  Predictor predictor(*this, {.max_rows = std::clamp<std::size_t>(rows, 1, kMostRows)});
  std::vector<float> out(rows * predictor.outputs());
  predictor.predict(x, out);
  return out;
}

}  // namespace halfstep
