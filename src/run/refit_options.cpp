#include "run/refit_options.hpp"

#include <string>
#include <utility>

#include "halfstep/error.hpp"
#include "run/quality.hpp"

namespace halfstep::internal {
namespace {

[[noreturn]] void refuse(std::string why, std::string hint) {
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = "--refit",
                                         .why = std::move(why),
                                         .kept = {},
                                         .hint = std::move(hint)});
}

}  // namespace

void check_refit(const Options& options) {
  if (!options.refit) return;
  if (quality_of(options) == "plain" && options.early_stop == 0) {
    refuse("without --early-stop there is no best epoch to train for", "--early-stop 10");
  }
  if (options.schedule == "plateau") {
    refuse("the schedule plateau goes by rows held out, and then there are none", "--schedule cosine");
  }
  if (!options.checkpoint_dir.empty() || !options.resume.empty()) {
    refuse("a checkpoint goes on with one run, and this is two", "leave one of them out");
  }
}

}  // namespace halfstep::internal
