#include "run/read_text.hpp"

#include <algorithm>

#include "halfstep/text.hpp"

namespace halfstep::internal {

void add_read(const data::RawData& raw, std::vector<std::string>& reads) {
  constexpr double kMega = 1e6;
  const data::ReadSpeed& speed = raw.speed;
  if (speed.bytes == 0) return;
  const double size = static_cast<double>(speed.bytes) / kMega;
  const double seconds = std::max(speed.seconds, 1e-9);
  reads.push_back(raw.source + ": " + short_number(size, 4) + " MB in " + short_number(seconds, 3) + " s, " +
                  short_number(size / seconds, 3) + " MB/s, " + std::to_string(speed.threads) +
                  (speed.threads == 1 ? " thread" : " threads"));
}

}  // namespace halfstep::internal
