#include "halfstep/info.hpp"

#if __has_include(<gnu/libc-version.h>)
#include <gnu/libc-version.h>
#endif

#include "data/source.hpp"
#include "kernels/cpu.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"
#include "parallel/executor.hpp"
#include "parallel/threads.hpp"

namespace halfstep {

using namespace internal;

std::string_view version() { return HS_VERSION; }

SystemInfo system_info(const std::string& isa, Math math) {
  SystemInfo info;
  info.version = HS_VERSION;
#if defined(__clang__)
  info.compiler = "Clang " __clang_version__;
#else
  info.compiler = "GCC " __VERSION__;
#endif
  info.cpu = cpu_name();
  const IsaState& chosen = select_isa_state(isa, math);
  for (const IsaState& state : isas()) {
    const bool is_chosen = state.table == chosen.table;
    std::string reason = is_chosen ? selection_reason(isa) : state.reason;
    if (!state.note.empty()) reason += "; " + state.note;
    info.isas.push_back({state.name, state.runnable, is_chosen, std::move(reason)});
  }
  info.math = name(math);
  info.math_reason = math_reason(chosen, math);
  const ThreadChoice threads = choose_threads();
  info.threads = threads.count;
  info.threads_reason = threads.reason;
  info.parallel = parallel_back_end();
  info.xsimd = HS_XSIMD_VERSION;
  info.gzip = HS_HAVE_ZLIB != 0;
  info.zlib = data::version_of_zlib();
#if defined(__GLIBC__)
  info.c_library = std::string("glibc ") + gnu_get_libc_version();
#endif
  const std::optional<double> quota = cpu_quota();
  info.limits = quota ? "CPU quota " + std::to_string(*quota) : "no CPU quota";
  return info;
}

}  // namespace halfstep
