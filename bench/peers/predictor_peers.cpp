// bench_predictor_peers: predictions of halfstep beside ONNX Runtime's, in microseconds a call; see ../README.md.
#include <cstdio>
#include <optional>

#include "halfstep/error.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"
#include "peers/flags.hpp"
#include "peers/predictor_case.hpp"
#include "text/json.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::peers;

namespace {

constexpr Dtype kDtypes[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
constexpr std::size_t kMostWidth = std::size_t{1} << 16, kMostRows = std::size_t{1} << 16;

constexpr const char* kUsage =
    "usage: bench_predictor_peers [flags]\n"
    "Predictions of halfstep and of ONNX Runtime on one thread, interleaved in one process, each call timed.\n"
    "  --onnxruntime FILE  its shared library, as onnxruntime/capi/ of its Python wheel has it (default: none)\n"
    "  --networks LIST     widths (default: 30-64-32-2,784-512-512-10)\n"
    "  --rows LIST         rows of a call (default: 1,64,1024)\n"
    "  --precision LIST    halfstep's: fp32, bf16, fp16, all (default: all)\n"
    "  --isa NAME          halfstep's instruction set (default: auto)\n"
    "  --repetitions N     rounds, in which everybody has a turn (default: 25)\n"
    "  --json              one object a line\n";

void write(const std::string& text, std::FILE* to = stdout) {
  std::fputs(text.c_str(), to);
  std::fflush(to);
}

struct Row {
  std::string network;
  std::size_t rows;
  std::string contender;
  CallTimes times;
  std::vector<std::pair<std::string, double>> ratios;  // of a peer, by each of ours
};

std::string text_of(const Row& r, bool as_json) {
  if (as_json) {
    json::Object o = {{"bench", "predictor_peers"}, {"network", r.network}, {"rows", r.rows}};
    o.insert(o.end(), {{"contender", r.contender}, {"median_us", 1e6 * r.times.median}, {"p99_us", 1e6 * r.times.p99}});
    json::Object ratios;
    for (const auto& [ours, ratio] : r.ratios) ratios.emplace_back(ours, ratio);
    if (!ratios.empty()) o.emplace_back("ratios", std::move(ratios));
    return json::dump(o) + "\n";
  }
  char text[200];
  std::snprintf(text, sizeof text, "%-18s %5zu %10.2f %10.2f  %s", r.network.c_str(), r.rows, 1e6 * r.times.median,
                1e6 * r.times.p99, r.contender.c_str());
  std::string line = text;
  for (const auto& [ours, ratio] : r.ratios) {
    std::snprintf(text, sizeof text, "; %s %.2fx", ours.c_str(), ratio);
    line += text;
  }
  return line + "\n";
}

struct Race {
  std::vector<Dtype> precisions;
  std::string isa;
  const OnnxRuntime* runtime;  // null: left out
  int repetitions;
  bool json;

  void run(const std::string& network, const std::vector<std::size_t>& widths, std::size_t rows) const {
    const PredictorCase c(widths, rows);
    std::vector<Answerer> all;
    for (const Dtype precision : precisions) all.push_back(halfstep_answerer(c, precision, isa));
    const std::size_t ours = all.size();
    if (runtime != nullptr) all.push_back(onnx_runtime_answerer(c, *runtime));
    check_agreement(all);
    std::vector<Caller> callers;
    for (const Answerer& a : all) callers.push_back(a.caller);
    const std::vector<CallTimes> times = race_calls(callers, repetitions);
    for (std::size_t i = 0; i < all.size(); ++i) {
      Row row = {network, rows, callers[i].name, times[i], {}};
      for (std::size_t o = 0; i >= ours && o < ours; ++o) {
        row.ratios.emplace_back(std::string(name(precisions[o])), median_ratio(times[i], times[o]));
      }
      write(text_of(row, json));
    }
  }
};

void run(std::span<const std::string_view> words) {
  Flag flags[] = {{"onnxruntime", ""},   {"networks", "30-64-32-2,784-512-512-10"},
                  {"rows", "1,64,1024"}, {"precision", "all"},
                  {"isa", "auto"},       {"repetitions", "25"}};
  const Switches switches = read_flags(words, flags);
  if (switches.help) return write(kUsage);
  const auto value = [&](std::string_view flag) { return std::string(value_of(flags, flag)); };
  std::vector<std::pair<std::string, std::vector<std::size_t>>> networks;
  for (const std::string& text : split(value("networks"), ',')) {
    std::vector<std::size_t> widths;
    for (const std::string& width : split(text, '-')) widths.push_back(number(width, kMostWidth, "--networks"));
    if (widths.size() < 2 || widths.back() < 2) {
      refuse("'" + text + "' is not INPUTS-..-OUTPUTS with two outputs or more", "--networks", "30-64-32-2");
    }
    networks.emplace_back(text, widths);
  }
  std::vector<std::size_t> rows;
  for (const std::string& text : split(value("rows"), ',')) rows.push_back(number(text, kMostRows, "--rows"));
  const KernelTable& kernels = select_isa(value("isa"));
  std::optional<OnnxRuntime> runtime;
  if (!value("onnxruntime").empty()) runtime.emplace(value("onnxruntime"));
  const Race race = {choices(value("precision"), kDtypes, "--precision"), value("isa"), runtime ? &*runtime : nullptr,
                     static_cast<int>(number(value("repetitions"), 10000, "--repetitions")), switches.json};
  char clock[80];
  std::snprintf(clock, sizeof clock, "; 1 thread; the clock takes %.3f us of each call\n", 1e6 * clock_seconds());
  write("halfstep " + std::string(kernels.name) + "; " +
            (runtime ? "ONNX Runtime " + runtime->version() : "without ONNX Runtime: no --onnxruntime") + clock,
        switches.json ? stderr : stdout);
  if (!switches.json) write("network             rows  median us     p99 us  contender; its time by halfstep's\n");
  for (const auto& [text, widths] : networks) {
    for (const std::size_t count : rows) race.run(text, widths, count);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  try {
    run(words);
    return 0;
  } catch (const Error& e) {
    write("bench_predictor_peers: " + std::string(e.what()) + "\n", stderr);
    return e.status() == Status::invalid_argument ? 2 : 1;
  } catch (const std::exception& e) {
    write("bench_predictor_peers: " + std::string(e.what()) + "\n", stderr);
    return 1;
  }
}
