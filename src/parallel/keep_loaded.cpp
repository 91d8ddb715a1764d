// Of back ends that do not join their threads.
#if HS_HAVE_TBB
#include "parallel/keep_loaded.hpp"

#include <dlfcn.h>
#if defined(__GLIBC__)
#include <link.h>
#endif

namespace halfstep::internal {
namespace {

// C libraries that have none of this unload nothing.
bool keep() noexcept {
#if defined(__GLIBC__)
  Dl_info info;
  void* object = nullptr;
  if (dladdr1(reinterpret_cast<const void*>(&keep_loaded), &info, &object, RTLD_DL_LINKMAP) == 0) return false;
  const char* const name = static_cast<const link_map*>(object)->l_name;
  if (name[0] == '\0') return false;  // the program itself
  return dlopen(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
#else
  return false;
#endif
}

}  // namespace

void keep_loaded() noexcept {
  static const bool kept = keep();
  (void)kept;
}

}  // namespace halfstep::internal
#endif
