// Keeps what one contender's threads do out of the next one's time.
#pragma once
#include <functional>

namespace halfstep::peers {

// Sleeps until no thread of this process runs. After a call the workers of every library stay awake for a while: GCC's
// OpenMP and oneTBB for about a millisecond, OpenBLAS for some 30, and what they burn would be taken from the next
// contender. Putting them to sleep earlier (OMP_WAIT_POLICY=passive) would slow the library itself down. Throws
// Error(state) when they never rest.
void settle();

// Wakes threads and brings operands into the caches, so that a window holds what a run of equal calls holds. Where the
// system has woken a worker on the caller's core, an OpenMP library waits out its spinning in each call, 6 ms of GCC's,
// until the system moves the worker: alone in a process such a library stays so for its first tenths of a second. Such
// calls, much longer than `expected` seconds, are no window's either.
void warm_up(const std::function<void()>& run, double expected);

}  // namespace halfstep::peers
