// Rates of several threads together. They are threads of its own, started at the same moment: the rate does not depend
// on the executor that is being judged.
#pragma once
#include <functional>

namespace halfstep::internal {

// Sum over `threads` of amount per second / 1e9. Each thread calls work(thread, turn) with turn = 0, 1, 2, ... for
// about `seconds`, under FpEnvGuard, and is timed on its own; work returns the amount that it did.
double parallel_rate(int threads, double seconds, const std::function<double(std::size_t, std::size_t)>& work);

}  // namespace halfstep::internal
