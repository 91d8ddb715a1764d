// What a model keeps of the rows held out of its training: what they say about its mistakes.
#pragma once
#include <string>

#include "data/examples.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/options.hpp"
#include "loss/loss.hpp"
#include "metrics/output_meaning.hpp"
#include "run/intervals.hpp"
#include "text/json.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

struct HeldOutFacts {
  double temperature = 1;  // of a classifier
  Intervals intervals;     // of a regression

  bool any() const { return temperature != 1 || intervals.any(); }
};

// Throws Error(invalid_argument) where options.calibrate asks for what these rows cannot give: there are no classes, or
// no rows.
void check_calibration(const Options& options, const OutputMeaning& meaning, bool has_held_out);

// By the model as it is now, on rows that its weights have not seen. `result` gets the words for it.
HeldOutFacts facts_of(const Options& options, StepTrainer& trainer, const OutputMeaning& meaning,
                      const data::Examples& held_out, TrainResult& result);

// What prediction intervals go by, in words; empty where there are none.
std::string intervals_text(const Intervals& intervals);

json::Value to_json(const HeldOutFacts& facts);
HeldOutFacts facts_from_json(const std::string& path, const json::Value& value);

}  // namespace halfstep::internal
