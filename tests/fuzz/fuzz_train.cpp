// Train, evaluate and predict: small runs under drawn options on a drawn table.
#include "data/csv.hpp"
#include "fuzz/draw_run.hpp"
#include "fuzz/job_checks.hpp"
#include "fuzz/support.hpp"
#include "halfstep/jobs.hpp"
#include "text/json.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

// What a run came to: its weights, or why it failed.
struct Outcome {
  bool finished = false;
  Status status = Status::ok;
  std::string digest;
  bool operator==(const Outcome&) const = default;
};

void check_plan(const RunPlan& plan) {
  std::int64_t sum = 0;
  for (const MemoryPart& part : plan.memory) sum += part.bytes;
  fuzz::require(sum == plan.memory_bytes && sum > 0, "the plan is the sum of its parts");
}

void check_result(const TrainResult& result, const Options& options) {
  const StepCounts& steps = result.steps;
  fuzz::require(steps.attempted == steps.applied + steps.skipped, "steps are applied or skipped");
  fuzz::require(steps.attempted <= options.steps && steps.retried <= steps.applied, "no more steps than asked for");
  std::int64_t explained = 0;
  for (const LedgerEntry& entry : result.ledger) explained += entry.steps;
  fuzz::require(explained >= steps.skipped, "the ledger knows every skipped step");
}

Outcome run(const std::string& data, const Options& options) {
  Outcome outcome;
  TrainObserver observer;
  observer.on_plan = check_plan;
  std::int64_t records = 0;
  observer.on_step = [&](const StepRecord& record) {
    fuzz::require(record.step == ++records, "every attempted step is told once");
  };
  outcome.finished = fuzz::succeeds([&] {
    try {
      const TrainResult result = train(data, options, observer);
      check_result(result, options);
      fuzz::require(records == result.steps.attempted, "every attempted step is told once");
      outcome.digest = result.weights_digest;
    } catch (const Error& error) {
      outcome.status = error.status();
      throw;
    }
  });
  return outcome;
}

void check_metrics_file(const std::string& path) {
  const std::string bytes = test::read_bytes(path);
  std::string_view text = bytes;
  while (!text.empty()) {
    const std::string_view line = fuzz::cut_front(text, '\n');
    fuzz::require(fuzz::succeeds([&] { json::parse(line); }), "the metrics file is lines of JSON", line);
  }
}

bool blank(const std::vector<std::string>& record) { return record.size() == 1 && record[0].empty(); }

// A row has the prediction it has, whatever other rows are in its file.
void check_alone(const fuzz::DrawnTable& table, const Options& options, const std::string& data) {
  const std::string path = fuzz::scratch() / "alone.csv";
  Predictions all, one;
  if (!fuzz::succeeds([&] { all = predict(options.out, data, options); })) return;
  const bool has_header = data::parse_csv(fuzz::source_of(table.text()), options).has_header;
  const std::size_t first = has_header ? 1 : 0;
  fuzz::require(all.predicted.size() + first == table.records.size(), "a prediction for every row", table.text());
  for (const std::size_t row : {first, table.records.size() - 1}) {
    if (row >= table.records.size() || blank(table.records[row])) continue;
    std::vector<std::vector<std::string>> some;
    if (has_header) some.push_back(table.records[0]);
    some.push_back(table.records[row]);
    // In front of a file the same bytes are its byte order mark, and no part of a cell.
    if (table.text_of(some).starts_with("\xef\xbb\xbf")) continue;
    test::write_bytes(path, table.text_of(some));
    const bool done = fuzz::succeeds([&] { one = predict(options.out, path, options); });
    fuzz::require(done && one.predicted.size() == 1, "one row alone has one prediction", table.text_of(some));
    fuzz::require(one.predicted[0] == all.predicted[row - first], "a row is predicted alike alone",
                  table.text_of(some));
  }
}

// The file a run leaves is the model that it trained.
void check_files(const Options& options, const std::string& digest) {
  check_metrics_file(options.metrics);
  fuzz::check_model_file(options.out);
  fuzz::require(inspect(options.out).weights_digest == digest, "the file has the weights of the run");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::Draw draw(bytes, size);
  Options options = fuzz::draw_options(draw);
  const std::size_t check = draw.below(4);  // one of four, for each costs as much as the run itself
  const int other_threads = 1 + static_cast<int>(draw.below(3));
  const fuzz::DrawnTable table = fuzz::draw_table(draw);
  const std::string data = fuzz::scratch() / "input.csv";
  test::write_bytes(data, table.text());
  options.out = fuzz::scratch() / "model.safetensors";
  options.metrics = fuzz::scratch() / "metrics.jsonl";
  const Outcome outcome = run(data, options);
  if (check == 0) {
    options.threads = other_threads;
    fuzz::require(run(data, options) == outcome, "a run repeats on any number of threads", outcome.digest);
  }
  if (!outcome.finished) return 0;
  if (check == 1) fuzz::check_use(options.out, data, options);
  if (check == 2 && table.quoted) check_alone(table, options, data);
  if (check == 3) check_files(options, outcome.digest);
  return 0;
}
