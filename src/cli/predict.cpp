#include <algorithm>
#include <cmath>

#include "cli/commands.hpp"
#include "cli/lists.hpp"
#include "cli/output.hpp"
#include "halfstep/files.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

constexpr std::size_t kFlush = std::size_t{1} << 16;

// Bytes as they are for a file or pipe; what a person sees must not drive the terminal.
std::string shown(const std::string& text, bool terminal) { return terminal ? printable(text) : text; }

// Collects rows; to stdout they go in blocks, to a file all at once when it is complete.
class RowSink {
 public:
  explicit RowSink(std::string path) : path_(std::move(path)) {}
  void add(std::string_view text) {
    rows_ += text;
    if (path_.empty() && rows_.size() >= kFlush) flush();
  }
  void finish() {
    if (path_.empty()) return flush();
    write_file(path_, rows_);
  }

 private:
  void flush() {
    print(rows_);
    rows_.clear();
  }
  std::string path_;
  std::string rows_;
};

// RFC 4180: a field with a comma, quote or line end is quoted, its quotes doubled.
std::string csv_field(const std::string& field, bool terminal) {
  const std::string text = shown(field, terminal);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_header(const Predictions& predictions, bool terminal) {
  if (!predictions.classification) {
    const bool several = predictions.targets.size() > 1;
    std::string text = "row";
    for (std::size_t t = 0; t < std::max<std::size_t>(predictions.targets.size(), 1); ++t) {
      const auto add = [&](const std::string& what) {
        text += "," + csv_field(several ? what + "_" + predictions.targets[t] : what, terminal);
      };
      add("value");
      if (predictions.lower.empty()) continue;
      add("lower");
      add("upper");
    }
    return text + "\n";
  }
  std::string text = "row,class";
  for (const std::string& name : predictions.classes) text += "," + csv_field("p_" + name, terminal);
  return text + "\n";
}

// A probability is an fp32 number.
std::string probability(double value) { return number_text(static_cast<float>(value)); }

// Each value between the ends of its interval.
std::string row_with_ends(const Predictions& predictions, std::size_t row) {
  const std::size_t targets = std::max<std::size_t>(predictions.targets.size(), 1);
  std::string text = std::to_string(row + 1);
  for (std::size_t t = row * targets; t < (row + 1) * targets; ++t) {
    text += "," + number_text(predictions.values[t]) + "," + number_text(predictions.lower[t]) + "," +
            number_text(predictions.upper[t]);
  }
  return text + "\n";
}

std::string csv_row(const Predictions& predictions, std::size_t row, bool terminal) {
  if (!predictions.lower.empty()) return row_with_ends(predictions, row);
  if (!predictions.classification) return std::to_string(row + 1) + "," + predictions.predicted[row] + "\n";
  std::string text = std::to_string(row + 1) + "," + csv_field(predictions.predicted[row], terminal);
  const std::size_t columns = predictions.classes.size();
  for (std::size_t i = 0; i < columns; ++i) text += "," + probability(predictions.values[row * columns + i]);
  return text + "\n";
}

// The same text, where JSON has a number for it.
std::string json_value(double value, const std::string& text) { return std::isfinite(value) ? text : json_text(value); }

std::string json_values(const Predictions& predictions, const std::vector<double>& of, std::size_t row) {
  JsonObject values;
  for (std::size_t i = 0; i < predictions.targets.size(); ++i) {
    const double value = of[row * predictions.targets.size() + i];
    values.raw(predictions.targets[i], json_value(value, number_text(value)));
  }
  return values.str();
}

std::string json_row(const Predictions& predictions, std::size_t row) {
  JsonObject object;
  object.integer("row", static_cast<std::int64_t>(row) + 1);
  if (!predictions.classification && predictions.targets.size() < 2) {
    const auto add = [&](std::string_view key, double value, const std::string& text) {
      object.raw(key, json_value(value, text));
    };
    add("value", predictions.values[row], predictions.predicted[row]);
    if (predictions.lower.empty()) return object.line();
    add("lower", predictions.lower[row], number_text(predictions.lower[row]));
    add("upper", predictions.upper[row], number_text(predictions.upper[row]));
    return object.line();
  }
  if (!predictions.classification) {
    object.raw("values", json_values(predictions, predictions.values, row));
    if (predictions.lower.empty()) return object.line();
    object.raw("lower", json_values(predictions, predictions.lower, row));
    return object.raw("upper", json_values(predictions, predictions.upper, row)).line();
  }
  JsonObject probabilities;
  const std::size_t columns = predictions.classes.size();
  for (std::size_t i = 0; i < columns; ++i) {
    const double value = predictions.values[row * columns + i];
    probabilities.raw(predictions.classes[i], json_value(value, probability(value)));
  }
  const bool known = columns == 0 || std::isfinite(predictions.values[row * columns]);
  object.raw("class", known ? json_text(predictions.predicted[row]) : "null");
  return object.raw("probabilities", probabilities.str()).line();
}

}  // namespace

int run_predict(const Args& args) {
  const std::string& model = args.positional[0];
  const std::string& data = args.positional[1];
  const std::string& out = args.options.out;
  if (!out.empty()) {
    std::vector<NamedFile> inputs = files_read(data, args.options);
    inputs.push_back({"the model", model});
    check_apart(std::vector<NamedFile>{{"--out", out}}, inputs);
    check_writable(out);
  }
  const std::string& level = flag_value(args, "intervals");
  const Predictions predictions = predict(model, data, args.options, level.empty() ? 0 : share(level, "intervals"));
  Narrator narrator(args);
  for (const std::string& read : predictions.reads) {
    if (args.verbose) narrator.heading("read", read);
  }
  for (const std::string& note : predictions.notes) narrator.heading("note", note);
  for (const std::string& warning : predictions.warnings) narrator.warning(warning);
  RowSink sink(out);
  const bool terminal = out.empty() && terminal_on_stdout();
  try {
    if (!args.json) sink.add(csv_header(predictions, terminal));
    for (std::size_t row = 0; row < predictions.predicted.size(); ++row) {
      sink.add(args.json ? json_row(predictions, row) : csv_row(predictions, row, terminal));
    }
    sink.finish();
  } catch (const ClosedPipe&) {
    return kPartial;
  }
  if (!out.empty()) narrator.line(std::to_string(predictions.predicted.size()) + " rows written to " + out);
  return predictions.warnings.empty() ? kOk : kPartial;
}

}  // namespace halfstep::cli
