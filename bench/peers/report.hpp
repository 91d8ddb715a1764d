// Races as text.
#pragma once
#include <string>
#include <vector>

#include "peers/race.hpp"

namespace halfstep::peers {

// A column for each peer in 16 bits, then in fp32: GFLOP/s and the ratio.
std::string table_head(const std::vector<Peer>& peers);
std::string table_row(const std::vector<Peer>& peers, const RaceResult& result);
std::string json_line(const RaceResult& result);

// For each dtype, number of threads and comparison ("over onednn_plain", ...): geometric means of the ratios over all
// shapes, those of batch at most 128 and those of at most 32, and the worst shape. Above 1 halfstep is faster. Where a
// comparison is with the better of several, those that took no part are left out.
std::string summary_table(const std::vector<Peer>& peers, const std::vector<RaceResult>& results);
std::string summary_json(const std::vector<Peer>& peers, const std::vector<RaceResult>& results);

}  // namespace halfstep::peers
