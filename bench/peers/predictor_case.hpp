// One network, the batches it is asked about, and those who answer.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "halfstep/model.hpp"
#include "peers/call_race.hpp"
#include "peers/onnx_file.hpp"
#include "peers/onnx_runtime.hpp"

namespace halfstep::peers {

// Dense, ReLU, softmax, weights as a trainer begins with them.
struct PredictorCase {
  std::vector<std::size_t> widths;
  std::size_t rows = 1;
  std::vector<std::vector<float>> batches;  // kBatches, [rows][inputs] each
  std::vector<OnnxLayer> layers;            // the same numbers as the models have, before these round them

  PredictorCase(std::vector<std::size_t> network, std::size_t batch_rows);
  std::size_t outputs() const { return widths.back(); }
};

// Beside the call, what it left.
struct Answerer {
  Caller caller;
  std::function<const std::vector<float>&()> result;
  float tolerance = 0;  // of a probability, by what the contender rounds
};

Answerer halfstep_answerer(const PredictorCase& c, Dtype precision, const std::string& isa);
// In the settings and with the operators that are fastest here: all of them are tried.
Answerer onnx_runtime_answerer(const PredictorCase& c, const OnnxRuntime& runtime);

// All must give what the first gives. Throws Error(internal).
void check_agreement(const std::vector<Answerer>& all);

}  // namespace halfstep::peers
