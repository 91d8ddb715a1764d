#include "halfstep/model.hpp"

#include "api/outputs.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/output_meaning.hpp"
#include "train/network_of.hpp"

namespace halfstep {

using namespace internal;

namespace {
constexpr std::size_t kBatch = 512;
}

struct Model::Impl {
  Impl(const std::string& path, const Options& options)
      : saved(load_model(path)),
        machine(options),
        context(*machine.kernels, *machine.executor),
        network(network_of(saved.spec, {.max_rows = kBatch})) {
    network.set_tensors(saved.tensors);
    network.pack_all(*machine.kernels);
    saved.tensors = {};
  }
  SavedModel saved;
  Machine machine;
  GemmContext context;
  Network network;
};

Model::Model(const std::string& path, const Options& options) : impl_(std::make_unique<Impl>(path, options)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const ModelSpec& Model::spec() const { return impl_->saved.spec; }
const std::vector<std::string>& Model::class_names() const { return impl_->saved.preprocessor.classes(); }

std::vector<float> Model::predict(std::span<const float> x) {
  const SavedModel& saved = impl_->saved;
  return predict_rows(impl_->context, impl_->network, saved.spec.loss,
                      output_meaning(saved.preprocessor, saved.spec.loss), x);
}

}  // namespace halfstep
