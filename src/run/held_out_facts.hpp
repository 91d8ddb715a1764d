// What a model keeps of the rows held out of its training: what they say about its mistakes.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "data/examples.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/options.hpp"
#include "loss/loss.hpp"
#include "metrics/output_meaning.hpp"
#include "run/intervals.hpp"
#include "text/json.hpp"
#include "train/inference.hpp"

namespace halfstep::internal {

struct HeldOutFacts {
  double temperature = 1;  // of a classifier
  Intervals intervals;     // of a regression

  bool any() const { return temperature != 1 || intervals.any(); }
};

// Throws Error(invalid_argument) where options.calibrate asks for what these rows cannot give: there are no classes, or
// no rows.
void check_calibration(const Options& options, const OutputMeaning& meaning, bool has_held_out);

// Whether there is something to learn from rows held out.
bool learns_from_held_out(const Options& options, const OutputMeaning& meaning);

// What models said of rows, undivided by a temperature.
struct OutputsOfRows {
  OutputsOfRows(std::size_t rows, std::size_t columns);

  // What this model says of these rows, in the place of those from `first` on.
  void set(std::size_t first, GemmContext& context, const Networks& model, const data::Examples& rows,
           const OutputMeaning& meaning);

  std::size_t columns, ld;      // ld: columns, padded
  std::vector<float> logits;    // rows x ld
  std::vector<double> spreads;  // rows x columns: see JointOutputs
};

// By what models said of rows that their weights have not seen. `result` gets the words for it.
HeldOutFacts facts_of(const Options& options, const Loss& loss, const OutputMeaning& meaning,
                      const data::Examples& held_out, const OutputsOfRows& said, TrainResult& result);

// What prediction intervals go by, in words; empty where there are none.
std::string intervals_text(const Intervals& intervals);

json::Value to_json(const HeldOutFacts& facts);
HeldOutFacts facts_from_json(const std::string& path, const json::Value& value);

}  // namespace halfstep::internal
