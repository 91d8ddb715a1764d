// The functions of halfstep.h that are about the library itself.
#include <iterator>

#include "api/c/handle.hpp"
#include "halfstep/info.hpp"

using namespace halfstep;
using namespace halfstep::internal;

static_assert(HS_STATUS_OUT_OF_MEMORY == static_cast<int>(Status::out_of_memory));
static_assert(HS_STATUS_CANCELLED == static_cast<int>(Status::cancelled));
static_assert(HS_STATUS_INTERNAL == static_cast<int>(Status::internal));

uint32_t hs_abi_version() { return HS_ABI_VERSION; }

const char* hs_version_string() { return version().data(); }  // a literal, which ends in NUL

const char* hs_status_name(hs_status status) {
  static constexpr const char* kNames[] = {
      "OK",    "INVALID_ARGUMENT", "IO",       "FORMAT", "UNSUPPORTED", "OUT_OF_MEMORY",
      "LIMIT", "CANCELLED",        "DIVERGED", "STATE",  "INTERNAL"};
  static_assert(std::size(kNames) == HS_STATUS_INTERNAL + 1);
  return status >= 0 && status < static_cast<hs_status>(std::size(kNames)) ? kNames[status] : "UNKNOWN";
}

const char* hs_last_message() { return c_abi::last_message().text(); }
