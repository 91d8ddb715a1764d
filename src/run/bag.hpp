// Several networks that answer together, each trained without another part of the rows: bagging (Breiman, 1996,
// "Bagging predictors") over the folds of a cross-validation. Of every row it is then known what a network says that
// has not seen it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/split.hpp"
#include "halfstep/jobs.hpp"
#include "metrics/output_meaning.hpp"
#include "run/held_out_facts.hpp"
#include "run/machine.hpp"
#include "run/model_file.hpp"
#include "run/prepare.hpp"

namespace halfstep::internal {

// The parts of options.bag: places among the rows that have a target. Each row is held out of one network.
std::vector<data::Split> bag_parts(const Source& source, const Options& options);

// What the networks of a bag are.
struct BagSettings {
  Options options;
  ModelSpec spec;
};

class BagCheckpoints;

// All that a bag is trained from; it outlives the training.
struct BagRun {
  const std::vector<BagSettings>& settings;  // of several, which have the same inputs and outputs, the best are taken
  const Machine& machine;
  const Prepared& prepared;  // no rows held out
  const std::vector<data::Split>& parts;
  const OutputMeaning& meaning;
  BagCheckpoints* checkpoints = nullptr;  // where networks are saved, and those that are there; null: nowhere

  const Options& options() const { return settings.front().options; }
};

// How many networks there are to train, those among them that only try settings.
std::size_t networks_to_train(const BagRun& run);
// How many networks are trained at a time, each on threads of its own: as many as there are threads, of which the
// result does not depend.
std::size_t networks_at_a_time(const BagRun& run);
// What the run needs. Throws Error(out_of_memory) where it is more than there is.
std::vector<MemoryPart> bag_memory(const BagRun& run);

// Rows that some network has not seen, what it says of them, and how it was trained.
struct HeldOutRows {
  std::vector<std::uint32_t> places;  // among the rows that are prepared
  data::Examples examples;
  OutputsOfRows said;        // undivided by a temperature
  std::size_t settings = 0;  // of BagRun::settings, those that were taken
};

// Of several settings each is tried on the first parts, and those that do best on the rows held out have the bag.
// `saved` gets all but what the preprocessing is and the machine, `result` all but names. A run that is stopped keeps
// those networks that have an epoch behind them, or the first. Gives the rows of their parts, one part behind the other
// as result.bag has them. Throws as Training::run does.
HeldOutRows train_bag(const BagRun& run, const TrainObserver& observer, SavedModel& saved, TrainResult& result);

}  // namespace halfstep::internal
