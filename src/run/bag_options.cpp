#include "run/bag_options.hpp"

#include <string>

#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

struct Rule {
  bool (*broken)(const Options&);
  BagConflict conflict;
};

constexpr Rule kRules[] = {
    {[](const Options& o) { return o.validation > 0; },
     {"validation", "each network holds out a part of its own, one in so many as there are networks"}},
    {[](const Options& o) { return o.split == "ordered"; },
     {"split", "ordered rows follow each other, and most of these networks would learn from what comes later"}},
    {[](const Options& o) { return o.refit; }, {"refit", "every row is learned from by all networks but one"}},
    {[](const Options& o) { return o.checkpoint_every != Options().checkpoint_every; },
     {"checkpoint-every", "each network is saved once, when it has ended"}},
    {[](const Options& o) { return o.checkpoint_minutes != Options().checkpoint_minutes; },
     {"checkpoint-minutes", "each network is saved once, when it has ended"}},
    {[](const Options& o) { return o.checkpoint_keep != Options().checkpoint_keep; },
     {"checkpoint-keep", "all networks that have ended stay"}},
    {[](const Options& o) { return o.on_save_error != Options().on_save_error; },
     {"on-save-error", "a network that cannot be saved is in the bag all the same"}},
    {[](const Options& o) { return !o.init_from.empty(); }, {"init-from", "its rows were learned from already"}},
    {[](const Options& o) { return !o.metrics.empty(); }, {"metrics", "the file is of one network's epochs"}},
    {[](const Options& o) { return !o.tensorboard.empty(); }, {"tensorboard", "the file is of one network's epochs"}},
    {[](const Options& o) { return o.meter_every > 0; }, {"meter-every", "its readings are of one network"}},
    {[](const Options& o) { return o.capsule != "auto"; }, {"capsule", "it keeps a step of one network"}},
    {[](const Options& o) { return o.on_nonfinite != "skip"; }, {"on-nonfinite", "it mends a run of one network"}},
    {[](const Options& o) { return o.cache != "auto" && o.cache != "none"; },
     {"cache", "the parts are taken from rows in memory"}},
};

}  // namespace

const BagConflict* conflict_with_bag(const Options& options) {
  for (const Rule& rule : kRules) {
    if (rule.broken(options)) return &rule.conflict;
  }
  return nullptr;
}

void check_bag(const Options& options) {
  const BagConflict* const conflict = options.bag > 1 ? conflict_with_bag(options) : nullptr;
  if (conflict == nullptr) return;
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = "--bag, --" + std::string(conflict->parameter),
                                         .why = conflict->why,
                                         .kept = {},
                                         .hint = "leave one of them out"});
}

}  // namespace halfstep::internal
