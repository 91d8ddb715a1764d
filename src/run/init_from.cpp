#include "run/init_from.hpp"

#include <algorithm>

#include "halfstep/error.hpp"
#include "run/check_finite.hpp"

namespace halfstep::internal {
namespace {

// What the shapes of a model's layers follow from.
Options layers_of(const ModelSpec& spec) {
  Options options;
  options.hidden.assign(spec.widths.begin() + 1, spec.widths.end() - 1);
  options.layer = spec.layer;
  options.activation = spec.activation;
  options.norm = spec.norm;
  options.residual = spec.residual;
  return options;
}

}  // namespace

std::optional<SavedModel> model_to_start_from(Options& options) {
  if (options.init_from.empty()) return std::nullopt;
  SavedModel model = load_model(options.init_from);
  if (model.networks > 1) {
    throw Error(Status::unsupported, {.what = "there is no one network to start from",
                                      .where = options.init_from,
                                      .why = "the model has " + std::to_string(model.networks) + ", trained with --bag",
                                      .kept = {},
                                      .hint = "a model of a single network"});
  }
  check_finite(model, options.init_from);
  const Options layers = layers_of(model.spec), usual;
  for (const char* name : {"hidden", "layer", "activation", "norm", "residual"}) {
    const std::string given = get_option(options, name), wanted = get_option(layers, name);
    if (given != wanted && given != get_option(usual, name)) {
      throw Error(Status::invalid_argument,
                  {.what = "the model to start from has other layers",
                   .where = options.init_from,
                   .why = "--" + std::string(name) + " is " + given + " here, " + wanted + " in the model",
                   .kept = {},
                   .hint = "leave out --" + std::string(name)});
    }
    set_option(options, name, wanted);
  }
  validate(options);
  return model;
}

std::string start_from(const SavedModel& model, const Prepared& prepared, StepTrainer& trainer,
                       const KernelTable& kernels) {
  std::vector<NamedTensor> tensors = trainer.model().tensors();
  const ModelSpec& spec = trainer.config().model;
  const std::string last = "layers." + std::to_string(spec.widths.size() - 2) + ".";
  const bool new_head = !prepared.same_outputs || spec.widths.back() != model.spec.widths.back();
  for (NamedTensor& tensor : tensors) {
    if (new_head && tensor.name.starts_with(last)) continue;
    const auto from = std::find_if(model.tensors.begin(), model.tensors.end(),
                                   [&](const NamedTensor& other) { return other.name == tensor.name; });
    if (from == model.tensors.end() || from->shape != tensor.shape) {
      throw Error(Status::format, {.what = "the model to start from has other layers",
                                   .where = tensor.name,
                                   .why = "it has no such tensor of this shape",
                                   .kept = {},
                                   .hint = "a model of the same inputs and layers"});
    }
    tensor.values = from->values;
  }
  trainer.model().set_tensors(tensors);
  trainer.model().pack_all(kernels);
  return "starts from the weights of " + std::to_string(model.step) + " steps" +
         (new_head ? ", with a new last layer: its outputs mean something else here" : "");
}

}  // namespace halfstep::internal
