#include "peers/quiet.hpp"

#include <time.h>

#include <chrono>
#include <thread>

#include "bench/timing.hpp"
#include "halfstep/error.hpp"

namespace halfstep::peers {

using namespace internal;
namespace {

double process_seconds() {
  timespec t = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// The system may wake a worker on the core of the thread that calls it and needs some milliseconds to move it.
constexpr double kWarm = 0.012;

}  // namespace

void settle() {
  constexpr double kSlice = 0.001;
  for (int slice = 0; slice < 500; ++slice) {
    const double before = process_seconds();
    std::this_thread::sleep_for(std::chrono::duration<double>(kSlice));
    if (process_seconds() - before < 0.1 * kSlice) return;
  }
  throw Error(Status::state, {.what = "idle threads of a library keep running",
                              .where = {},
                              .why = "they would take time from the others",
                              .kept = {},
                              .hint = "unset OMP_WAIT_POLICY, GOMP_SPINCOUNT, KMP_BLOCKTIME, OPENBLAS_THREAD_TIMEOUT"});
}

void warm_up(const std::function<void()>& run, double expected) {
  const double start = seconds_now();
  double last = 0, now = start;
  do {
    const double before = now;
    run();
    now = seconds_now();
    last = now - before;
  } while (now - start < kWarm || (last > 0.001 && last > 20 * expected && now - start < 0.3));
}

}  // namespace halfstep::peers
