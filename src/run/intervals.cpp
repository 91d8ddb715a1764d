#include "run/intervals.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "run/bad_model.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kKeepAll = 256, kEvenly = 200;
constexpr std::size_t kMostKept = 4096;  // of a file that can be believed
constexpr double kLevel = 0.9;           // by whose width scores are chosen
constexpr double kMargin = 0.5;          // deviations
constexpr double kWorthIt = 0.97;        // of the width, for the spread to be used
constexpr double kFloors[] = {0.25, 1, 4};
constexpr std::size_t kEnoughToChoose = 100;

// Which places are kept: where levels that are multiples of 1 / 200 find theirs, closer towards the end, where levels
// such as 0.999 are.
std::vector<bool> kept_places(const std::vector<double>& shares) {
  const std::size_t rows = shares.size();
  std::vector<bool> kept(rows, rows <= kKeepAll);
  for (std::size_t i = 1; i < kEvenly; ++i) {
    const auto at = std::lower_bound(shares.begin(), shares.end(), static_cast<double>(i) / kEvenly);
    if (at != shares.end()) kept[static_cast<std::size_t>(at - shares.begin())] = true;
  }
  for (double left = 0; left < static_cast<double>(rows); left = std::max(left + 1, left * 1.1)) {
    kept[rows - 1 - static_cast<std::size_t>(left)] = true;
  }
  return kept;
}

struct Weighted {
  double score, weight;
};

// Every score with the share of rows, and of the one to come, that is not above it.
TargetIntervals shares_of(const std::vector<double>& scores, const std::vector<float>& weights) {
  std::vector<Weighted> sorted;
  double sum = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double weight = weights.empty() ? 1 : static_cast<double>(weights[i]);
    if (weight > 0) sorted.push_back({scores[i], weight});
    sum += weight;
  }
  std::sort(sorted.begin(), sorted.end(), [](const Weighted& a, const Weighted& b) {
    return a.score != b.score ? a.score < b.score : a.weight < b.weight;
  });
  TargetIntervals out;
  const double all = sum + sum / static_cast<double>(sorted.size());
  double so_far = 0;
  for (const Weighted& row : sorted) {
    so_far += row.weight;
    out.shares.push_back(so_far / all);
    out.scores.push_back(row.score);
  }
  return out;
}

void thin_out(TargetIntervals& of) {
  const std::vector<bool> kept = kept_places(of.shares);
  std::size_t to = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    of.shares[to] = of.shares[i];
    of.scores[to++] = of.scores[i];
  }
  of.shares.resize(to);
  of.scores.resize(to);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The level L whose L + kMargin sqrt(L (1 - L) / rows) is this share.
double level_of(double share, double rows) {
  const double k = kMargin * kMargin / rows, b = 2 * share + k;
  return (b - std::sqrt(std::max(b * b - 4 * (1 + k) * share * share, 0.0))) / (2 * (1 + k));
}

TargetIntervals by(const TargetMisses& of, const std::vector<float>& weights, bool by_spread, double floor) {
  TargetIntervals shape;
  shape.by_spread = by_spread;
  shape.floor = floor;
  std::vector<double> scores;
  for (std::size_t i = 0; i < of.miss.size(); ++i) scores.push_back(of.miss[i] / shape.unit(of.spread[i]));
  TargetIntervals out = shares_of(scores, weights);
  out.by_spread = by_spread;
  out.floor = floor;
  return out;
}

// The score whose intervals are shortest on these rows.
TargetIntervals choose(const TargetMisses& of, const std::vector<float>& weights) {
  TargetIntervals best = by(of, weights, false, 0);
  const double spread = mean_of(of.spread);
  if (!(spread > 0) || of.miss.size() < kEnoughToChoose) return best;
  double least = best.score(kLevel).value_or(0) * kWorthIt;
  for (const double part : kFloors) {
    TargetIntervals other = by(of, weights, true, part * spread);
    const double width = other.score(kLevel).value_or(0) * (spread + other.floor);
    if (width > 0 && width < least) {
      least = width;
      best = std::move(other);
    }
  }
  return best;
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

std::vector<double> numbers_from(const std::string& path, const json::Value& value) {
  std::vector<double> out;
  for (const json::Value& v : value.as_array()) out.push_back(v.as_number());
  const bool good = !out.empty() && out.size() <= kMostKept && all_finite(out) && out.front() >= 0 &&
                    std::is_sorted(out.begin(), out.end());
  if (!good) bad_model(path, "what its intervals go by is no rising line of numbers");
  return out;
}

json::Array to_array(const std::vector<double>& values) { return {values.begin(), values.end()}; }

}  // namespace

std::optional<double> TargetIntervals::score(double level) const {
  const auto at = static_cast<std::size_t>(std::lower_bound(shares.begin(), shares.end(), level) - shares.begin());
  if (at == shares.size()) return std::nullopt;
  return scores[at];
}

double Intervals::most() const {
  double most = 1;
  for (const TargetIntervals& target : targets) most = std::min(most, target.shares.back());
  return most;
}

Intervals fit_intervals(const std::vector<TargetMisses>& targets, const std::vector<float>& weights, bool chosen) {
  Intervals out;
  for (const TargetMisses& target : targets) {
    if (target.miss.empty() || !all_finite(target.miss) || !all_finite(target.spread)) return {};
    out.targets.push_back(choose(target, weights));
    if (out.targets.back().scores.empty()) return {};
  }
  if (targets.empty()) return {};
  out.rows = static_cast<std::int64_t>(out.targets.front().scores.size());
  for (TargetIntervals& target : out.targets) {
    for (double& share : target.shares) share = chosen ? level_of(share, static_cast<double>(out.rows)) : share;
    thin_out(target);
  }
  return out;
}

json::Value to_json(const Intervals& intervals) {
  json::Array targets;
  for (const TargetIntervals& t : intervals.targets) {
    targets.push_back(json::Object{{"by_spread", t.by_spread},
                                   {"floor", t.floor},
                                   {"shares", to_array(t.shares)},
                                   {"scores", to_array(t.scores)}});
  }
  return json::Object{{"rows", intervals.rows}, {"targets", std::move(targets)}};
}

Intervals intervals_from_json(const std::string& path, const json::Value& value) {
  Intervals out;
  out.rows = value.at("rows").as_integer();
  for (const json::Value& v : value.at("targets").as_array()) {
    TargetIntervals t;
    t.by_spread = v.at("by_spread").as_bool();
    t.floor = v.at("floor").as_number();
    t.shares = numbers_from(path, v.at("shares"));
    t.scores = numbers_from(path, v.at("scores"));
    const bool good = t.shares.size() == t.scores.size() && t.shares.back() < 1 && t.floor >= 0 &&
                      std::isfinite(t.floor) && out.rows >= static_cast<std::int64_t>(t.scores.size());
    if (!good) bad_model(path, "what its intervals go by does not fit together");
    out.targets.push_back(std::move(t));
  }
  if (out.targets.empty()) bad_model(path, "its intervals are of no target");
  return out;
}

}  // namespace halfstep::internal
