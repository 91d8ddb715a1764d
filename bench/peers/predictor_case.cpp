#include "peers/predictor_case.hpp"

#include <algorithm>
#include <cmath>

#include "base/rng.hpp"
#include "halfstep/error.hpp"
#include "halfstep/predictor.hpp"
#include "halfstep/trainer.hpp"

namespace halfstep::peers {
namespace {

// A step of a large batch works in parts; so does a predictor, whose layers then stay in the caches.
constexpr std::size_t kMostRows = 512;

Trainer trainer_of(const std::vector<std::size_t>& widths, Dtype precision, const std::string& isa) {
  ModelSpec spec;
  spec.widths = widths;
  spec.precision = precision;
  Options options;
  options.threads = 1;
  options.isa = isa;
  options.seed = 1;
  return Trainer(spec, options);
}

}  // namespace

PredictorCase::PredictorCase(std::vector<std::size_t> network, std::size_t batch_rows)
    : widths(std::move(network)), rows(batch_rows), batches(kBatches) {
  const internal::Rng rng(1, 77);
  std::uint64_t place = 0;
  for (std::vector<float>& batch : batches) {
    batch.resize(rows * widths.front());
    for (float& x : batch) x = static_cast<float>(rng.below(place++, 2001)) / 1000 - 1;
  }
  Trainer trainer = trainer_of(widths, Dtype::fp32, "auto");
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const std::string name = "layers." + std::to_string(i);
    layers.push_back(
        {widths[i], widths[i + 1], trainer.parameter(name + ".weight"), trainer.parameter(name + ".bias")});
  }
}

Answerer halfstep_answerer(const PredictorCase& c, Dtype precision, const std::string& isa) {
  Trainer trainer = trainer_of(c.widths, precision, isa);
  const auto predictor =
      std::make_shared<Predictor>(trainer.snapshot(), PredictorOptions{.max_rows = std::min(c.rows, kMostRows)});
  const auto out = std::make_shared<std::vector<float>>(c.rows * c.outputs());
  Answerer a;
  a.caller = {"halfstep " + std::string(name(precision)),
              [predictor, out, &c](std::size_t batch) { predictor->predict(c.batches[batch], *out); }};
  a.result = [out]() -> const std::vector<float>& { return *out; };
  a.tolerance = precision == Dtype::fp32 ? 1e-5f : precision == Dtype::fp16 ? 5e-3f : 3e-2f;
  return a;
}

Answerer onnx_runtime_answerer(const PredictorCase& c, const OnnxRuntime& runtime) {
  constexpr int kTrials = 5;
  std::vector<std::shared_ptr<OnnxSession>> sessions;
  std::vector<Caller> callers;
  for (const OnnxForm form : {OnnxForm::gemm_rows, OnnxForm::gemm_columns, OnnxForm::matmul_add}) {
    const std::string file = onnx_file(c.layers, c.rows, form);
    for (const bool packs : {true, false}) {
      for (const bool binds : {false, true}) {
        const OnnxSettings settings = {packs, binds};
        const auto session = std::make_shared<OnnxSession>(runtime, file, settings, c.batches, c.rows, c.outputs());
        sessions.push_back(session);
        callers.push_back({"ONNX Runtime, " + std::string(name(form)) + (packs ? ", packed" : ", not packed") +
                               (binds ? ", bound" : ""),
                           [session](std::size_t batch) { session->run(batch); }});
      }
    }
  }
  const std::vector<CallTimes> times = race_calls(callers, kTrials);
  const auto best = std::min_element(times.begin(), times.end(),
                                     [](const CallTimes& a, const CallTimes& b) { return a.median < b.median; });
  const std::size_t index = static_cast<std::size_t>(best - times.begin());
  Answerer a;
  a.caller = callers[index];
  a.result = [session = sessions[index]]() -> const std::vector<float>& { return session->result(); };
  a.tolerance = 1e-5f;
  return a;
}

void check_agreement(const std::vector<Answerer>& all) {
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    for (const Answerer& a : all) {
      a.caller.call(batch);
      const std::vector<float>&got = a.result(), &expected = all.front().result();
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const float tolerance = std::max(a.tolerance, all.front().tolerance);
        if (std::fabs(got[i] - expected[i]) <= tolerance) continue;
        throw Error(Status::internal, {.what = "the contenders predict different things",
                                       .where = a.caller.name + ", output " + std::to_string(i),
                                       .why = std::to_string(got[i]) + " and " + std::to_string(expected[i]),
                                       .kept = {},
                                       .hint = {}});
      }
    }
  }
}

}  // namespace halfstep::peers
