#include "run/bad_model.hpp"

#include "halfstep/error.hpp"

namespace halfstep::internal {

void bad_model(const std::string& path, const std::string& why) {
  throw Error(Status::format, {.what = "not a halfstep model",
                               .where = path,
                               .why = why,
                               .kept = {},
                               .hint = "a file written by 'halfstep train'"});
}

}  // namespace halfstep::internal
