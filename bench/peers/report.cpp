#include "peers/report.hpp"

#include <cmath>
#include <cstdio>
#include <limits>
#include <set>

#include "peers/layer.hpp"
#include "text/json.hpp"

namespace halfstep::peers {

using namespace internal;
namespace {

template <class... T>
std::string format(const char* pattern, T... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

// What a reader compares halfstep with: the fastest of `names`, all in 16 bits or all in fp32.
struct Comparison {
  bool fp32;
  std::vector<std::string_view> names;

  std::string title() const {
    std::string text = names.size() > 1 ? "the better of " : "";
    for (std::size_t i = 0; i < names.size(); ++i) text += (i > 0 ? ", " : "") + std::string(names[i]);
    return text + (fp32 ? " in fp32" : "");
  }
};

// A trainer pays for plain weights at each step; on a CPU without 16-bit instructions people compute in fp32.
const Comparison kBetter[] = {
    {false, {"onednn_plain", "onednn_packed"}},
    {true, {"onednn_plain", "onednn_packed"}},
    {true, {"openblas", "onednn_plain"}},
    {true, {"openblas", "onednn_plain", "onednn_packed"}},
};

std::vector<Comparison> comparisons(const std::vector<Peer>& peers) {
  std::vector<Comparison> all;
  for (const bool fp32 : {false, true}) {
    for (const Peer& peer : peers) {
      if (fp32 || !peer.only_fp32) all.push_back({fp32, {peer.name}});
    }
    for (const Comparison& c : kBetter) {
      if (c.fp32 == fp32) all.push_back(c);
    }
  }
  return all;
}

// 0 when none of them took part.
double ratio_over(const RaceResult& r, const Comparison& c) {
  if (!c.fp32 && r.shape.dtype == Dtype::fp32) return 0;
  double least = std::numeric_limits<double>::infinity();
  for (const std::string_view name : c.names) {
    const PeerTime* peer = r.find(name, c.fp32 ? Dtype::fp32 : r.shape.dtype);
    if (peer != nullptr) least = std::min(least, peer->ratio);
  }
  return std::isfinite(least) ? least : 0;
}

struct Mean {
  double logs = 0;
  int count = 0;
  void add(double ratio) { logs += std::log(ratio), ++count; }
  double value() const { return std::exp(logs / count); }
  std::string text() const { return count > 0 ? format("%.3f", value()) : "-"; }
  json::Value json() const { return count > 0 ? json::Value(value()) : json::Value(nullptr); }
};

// One comparison over the races of one dtype and number of threads.
struct SummaryRow {
  Dtype dtype;
  int threads;
  Comparison comparison;
  Mean all, batch_128, batch_32;
  double worst = std::numeric_limits<double>::infinity();
  std::string worst_shape;

  void add(const RaceResult& r) {
    const double ratio = ratio_over(r, comparison);
    if (ratio == 0) return;
    const Layer layer = layer_of(r.shape);
    all.add(ratio);
    if (layer.batch <= 128) batch_128.add(ratio);
    if (layer.batch <= 32) batch_32.add(ratio);
    if (ratio >= worst) return;
    worst = ratio;
    worst_shape = layer.text() + " " + std::string(name(r.shape.product));
  }
};

std::vector<SummaryRow> summarise(const std::vector<Peer>& peers, const std::vector<RaceResult>& results) {
  std::set<std::pair<Dtype, int>> groups;
  for (const RaceResult& r : results) groups.emplace(r.shape.dtype, r.threads);
  std::vector<SummaryRow> rows;
  for (const auto& [dtype, threads] : groups) {
    for (const Comparison& c : comparisons(peers)) {
      SummaryRow row = {.dtype = dtype, .threads = threads, .comparison = c};
      for (const RaceResult& r : results) {
        if (r.shape.dtype == dtype && r.threads == threads) row.add(r);
      }
      if (row.all.count > 0) rows.push_back(row);
    }
  }
  return rows;
}

// "254.1 1.23": GFLOP/s and ratio.
std::string cell(const PeerTime* peer) {
  return peer == nullptr ? format(" %18s", "-") : format("   %8.1f %7.3f", peer->gflops, peer->ratio);
}

}  // namespace

std::string table_head(const std::vector<Peer>& peers) {
  std::string text = "dtype layout              layer thr     peak halfstep  frac";
  for (const Peer& peer : peers) text += peer.only_fp32 ? "" : format(" %18s", peer.name.data());
  for (const Peer& peer : peers) text += format(" %18s", (std::string(peer.name) + "_fp32").c_str());
  return text + "\n";
}

std::string table_row(const std::vector<Peer>& peers, const RaceResult& r) {
  std::string text =
      format("%-5s %-7s %17s %3d %8.1f %8.1f %5.3f", name(r.shape.dtype).data(), name(r.shape.product).data(),
             layer_of(r.shape).text().c_str(), r.threads, r.peak_gflops, r.gflops, r.fraction_of_peak());
  const bool fp32 = r.shape.dtype == Dtype::fp32;
  for (const Peer& peer : peers) {
    if (!peer.only_fp32) text += cell(fp32 ? nullptr : r.find(peer.name, r.shape.dtype));
  }
  for (const Peer& peer : peers) text += cell(r.find(peer.name, Dtype::fp32));
  return text + "\n";
}

std::string json_line(const RaceResult& r) {
  const Layer layer = layer_of(r.shape);
  json::Object object = {{"bench", "gemm_peers"}, {"dtype", name(r.shape.dtype)}, {"layout", name(r.shape.product)}};
  object.insert(object.end(), {{"batch", layer.batch}, {"in", layer.in}, {"out", layer.out}, {"isa", r.isa}});
  object.insert(object.end(), {{"threads", r.threads},
                               {"gflops", r.gflops},
                               {"peak_gflops", r.peak_gflops},
                               {"fraction_of_peak", r.fraction_of_peak()}});
  json::Array peers;
  for (const PeerTime& p : r.peers) {
    peers.push_back(json::Object{{"name", p.name}, {"dtype", name(p.dtype)}, {"gflops", p.gflops}, {"ratio", p.ratio}});
  }
  object.emplace_back("peers", peers);
  return json::dump(object) + "\n";
}

std::string summary_table(const std::vector<Peer>& peers, const std::vector<RaceResult>& results) {
  std::string text = format("\nhalfstep's speed over theirs, geometric means%40s %8s %8s  %s\n", "all", "b <= 128",
                            "b <= 32", "the worst");
  for (const SummaryRow& s : summarise(peers, results)) {
    text += format("%-5s %2d threads over %-63s %8s %8s %8s  %s at %s\n", name(s.dtype).data(), s.threads,
                   s.comparison.title().c_str(), s.all.text().c_str(), s.batch_128.text().c_str(),
                   s.batch_32.text().c_str(), format("%.3f", s.worst).c_str(), s.worst_shape.c_str());
  }
  return text;
}

std::string summary_json(const std::vector<Peer>& peers, const std::vector<RaceResult>& results) {
  std::string text;
  for (const SummaryRow& s : summarise(peers, results)) {
    text += json::dump(json::Object{{"bench", "gemm_peers_summary"},
                                    {"dtype", name(s.dtype)},
                                    {"threads", s.threads},
                                    {"over", s.comparison.title()},
                                    {"shapes", s.all.count},
                                    {"geomean", s.all.json()},
                                    {"geomean_batch_128", s.batch_128.json()},
                                    {"geomean_batch_32", s.batch_32.json()},
                                    {"worst", s.worst},
                                    {"worst_shape", s.worst_shape}}) +
            "\n";
  }
  return text;
}

}  // namespace halfstep::peers
