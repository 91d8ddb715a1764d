#include "halfstep/predictor.hpp"

#include <list>

#include "api/fork_check.hpp"
#include "api/model_impl.hpp"
#include "api/outputs.hpp"
#include "api/refuse.hpp"
#include "halfstep/error.hpp"
#include "parallel/executor.hpp"
#include "parallel/threads.hpp"
#include "train/network_of.hpp"

namespace halfstep {

using namespace internal;

namespace {

PredictorOptions checked(const PredictorOptions& options) {
  constexpr std::size_t kMostRows = std::size_t{1} << 20;
  if (options.max_rows < 1 || options.max_rows > kMostRows) {
    refuse("max_rows is out of range", "it is from 1 to " + std::to_string(kMostRows));
  }
  if (options.threads < 0) refuse("threads is negative", "0 is as many as the process may use");
  return options;
}

// With their parameters.
std::list<Network> networks_like(const std::list<Network>& weights, const ModelSpec& spec, std::size_t max_rows) {
  std::list<Network> networks;
  for (const Network& from : weights) {
    Network& network = networks.emplace_back(network_of(spec, {.max_rows = max_rows, .master = false}));
    network.borrow_parameters(from);
  }
  return networks;
}

}  // namespace

struct Predictor::Impl {
  Impl(std::shared_ptr<const Model::Impl> shared, const PredictorOptions& options)
      : model(std::move(shared)),
        executor(make_executor(choose_threads(options.threads).count, options.threads_of_host ? "host" : "")),
        context(model->kernels, *executor),
        networks(networks_like(model->weights, model->saved.spec, options.max_rows)),
        rows(context, Networks(networks), model->saved.spec.loss, model->meaning) {}

  std::shared_ptr<const Model::Impl> model;
  ForkCheck fork_check;
  std::unique_ptr<Executor> executor;
  GemmContext context;
  std::list<Network> networks;
  RowPredictor rows;
};

Predictor::Predictor(const Model& model, const PredictorOptions& options)
    : impl_(std::make_unique<Impl>(model.impl_, checked(options))) {}
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;
Predictor::~Predictor() = default;

std::size_t Predictor::inputs() const { return impl_->networks.front().shape().widths.front(); }
std::size_t Predictor::outputs() const { return impl_->networks.front().shape().widths.back(); }

void Predictor::predict(std::span<const float> x, std::span<float> out) {
  impl_->fork_check();
  const std::size_t wanted = impl_->rows.outputs_for(x.size());
  if (out.size() != wanted) refuse("the outputs do not fit", std::to_string(wanted) + " numbers are predicted");
  impl_->rows.run(x, out.data());
}

}  // namespace halfstep
