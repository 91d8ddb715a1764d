// The job that says before a run which precision suits it.
#include "halfstep/error.hpp"
#include "halfstep/preflight.hpp"
#include "run/cache_choice.hpp"
#include "run/init_from.hpp"
#include "run/precision_choice.hpp"

namespace halfstep {

using namespace internal;

Preflight preflight(const std::string& data, const Options& given) {
  Options options = given;
  validate(options);
  if (!options.resume.empty()) {
    throw Error(Status::invalid_argument, {.what = "a preflight looks at a run that begins",
                                           .where = "--resume",
                                           .why = "one that goes on keeps the precision of its checkpoint",
                                           .kept = {},
                                           .hint = "leave it out"});
  }
  const std::optional<SavedModel> start = model_to_start_from(options);
  const Machine machine(options);
  const Prepared prepared = prepare(data, options, {.executor = machine.executor.get(), .cache = cache_choice(options)},
                                    start ? &start->preprocessor.recipe() : nullptr);
  return choose_precision({options, prepared, machine, start ? &*start : nullptr}, {}).report;
}

}  // namespace halfstep
