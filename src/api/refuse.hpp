// Errors of callers, as the public face throws them.
#pragma once
#include <string>
#include <utility>

#include "halfstep/error.hpp"

namespace halfstep::internal {

[[noreturn]] inline void refuse(std::string what, std::string why) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = {}, .why = std::move(why), .kept = {}, .hint = {}});
}

// `where`: the parameter or tensor.
[[noreturn]] inline void refuse_at(std::string what, std::string where) {
  throw Error(Status::invalid_argument,
              {.what = std::move(what), .where = std::move(where), .why = {}, .kept = {}, .hint = {}});
}

}  // namespace halfstep::internal
