#include "fuzz/draw_run.hpp"

#include <iterator>

namespace halfstep::fuzz {
namespace {

struct Choice {
  const char* name;
  std::vector<const char*> values;  // the first is the default
};

// What others depend on comes first.
const std::vector<Choice>& choices() {
  static const std::vector<Choice> list = {
      {"steps", {"1", "2", "3", "4"}},
      {"batch", {"4", "1", "2", "3", "5", "8", "16", "64"}},
      {"hidden", {"3", "none", "1", "4,4", "5,2,3", "17", "8,8,8", "33"}},
      {"threads", {"1", "1", "2", "3"}},
      {"precision", {"bf16", "fp16", "fp32"}},
      {"layer-precision", {"", "0=fp32", "0=fp16", "1=bf16", "1=fp16", "0=bf16,1=fp32"}},
      {"activation",
       {"relu", "identity", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "leaky_relu", "elu", "softplus", "selu"}},
      {"norm", {"none", "layer", "rms", "batch"}},
      {"dropout", {"0", "0.5", "0.1", "0.99", "1e-9"}},
      {"layer", {"dense", "gated"}},
      {"residual", {"false", "true"}},
      {"task", {"auto", "classify", "regress"}},
      {"loss", {"auto", "cross_entropy", "binary_cross_entropy", "mse", "huber", "mae"}},
      {"huber-delta", {"1", "1e-30", "1e30"}},
      {"label-smoothing", {"0", "0.1", "0.99"}},
      {"class-weights", {"", "balanced", "a=2,b=0.5", "0=1e-30,1=1e30"}},
      {"optimizer", {"adamw", "adam", "sgd", "lion", "radam", "muon"}},
      {"momentum", {"0.9", "0", "0.99"}},
      {"nesterov", {"false", "true"}},
      {"beta1", {"0.9", "0"}},
      {"beta2", {"0.999", "0", "0.5"}},
      {"epsilon", {"1e-08", "1e-30", "1"}},
      {"weight-decay", {"0.01", "0", "1", "1e30"}},
      {"lr", {"0.001", "0.1", "10", "1e30", "1e-30"}},
      {"moments", {"fp32", "bf16"}},
      {"master", {"fp32", "kahan", "stochastic"}},
      {"schedule", {"cosine", "constant", "linear"}},
      {"warmup", {"0", "1", "2", "100"}},
      {"accumulate", {"1", "2", "3"}},
      {"loss-scale", {"auto", "dynamic", "compatible", "headroom", "none", "1024", "1e-09", "1.2676506002282294e+30"}},
      {"scale-max", {"16777216", "1", "1.2676506002282294e+30"}},
      {"scale-min", {"1", "0.0009765625", "1024"}},
      {"scale-init", {"0", "1", "65536", "1.2676506002282294e+30"}},
      {"scale-interval", {"2000", "1", "2"}},
      {"scale-growth", {"2", "4"}},
      {"scale-backoff", {"0.5", "0.25"}},
      {"scale-hysteresis", {"1", "2"}},
      {"scale-consecutive-hysteresis", {"false", "true"}},
      {"max-skip-rate", {"0.5", "0", "1"}},
      {"clip-norm", {"0", "1", "1e-30", "1e30"}},
      {"clip-value", {"0", "1", "1e-30"}},
      {"validation", {"0", "0.01", "0.5", "0.99"}},
      {"standardize", {"auto", "none"}},
      {"header", {"auto", "yes", "no"}},
      {"target", {"", "0", "1", "y", "last"}},
      {"drop", {"", "0", "c1"}},
      {"categorical", {"", "0", "1,0"}},
      {"numeric", {"", "1"}},
      {"separator", {"auto", "comma"}},
      {"decimal", {"auto", "comma"}},
      {"missing", {"", "-999", "-", "0,none"}},
      {"meter-every", {"0", "1", "2"}},
      {"seed", {"0", "1", "2", "3", "4", "5", "6", "7", "18446744073709551615"}},
  };
  return list;
}

// Tokens that readers of tables have stumbled over.
constexpr const char* kTricky[] = {
    "",       "NA",      "1e400",  "-0",     "1,5",      "\"",         "007",    "9007199254740993",
    "$1,234", "12.5%",   "inf",    "nan",    "a",        "\xc3\xa9",   "-999",   "a\nb",
    "-",      " 1 ",     "1e-400", "0x10",   "+1",       "1.",         ".5",     "none",
    "\x80",   "b.",      "b",      "3.4e38", "-1.7e308", "1e38",       "5e-324", "a;b",
    "#",      "'",       "\t",     "1_000",  "12:30",    "2024-02-30", "True",   "\xef\xbb\xbf",
    "?",      "\x1b[2J", "1e10",   "0"};

std::string number_cell(Draw& draw) { return std::to_string(static_cast<int>(draw.below(200)) - 100); }

std::string cell(Draw& draw, std::size_t kind) {
  constexpr const char* kClasses[] = {"a", "b", "c"};
  switch (kind) {
    case 0:
      return number_cell(draw);
    case 1:
      return kClasses[draw.below(3)];
    case 2:
      return std::to_string(draw.below(3));
    case 3:
      return kTricky[draw.below(std::size(kTricky))];
    case 4:
      return number_cell(draw) + (draw.below(2) == 0 ? ".25" : "e30");
    case 5: {  // numbers, now and then something else
      const std::size_t choice = draw.below(256);
      return choice < 200 ? std::to_string(choice) : kTricky[choice % std::size(kTricky)];
    }
    default:
      return "7";
  }
}

std::vector<std::string> header(Draw& draw, std::size_t columns) {
  std::vector<std::string> names;
  const std::size_t kind = draw.below(4);
  for (std::size_t i = 0; i < columns; ++i) {
    constexpr const char* kNames[] = {"x", "a", "y", "c1", "2020"};
    names.push_back(kind == 0   ? "c" + std::to_string(i)
                    : kind == 1 ? kNames[i]
                    : kind == 2 ? std::to_string(i)
                                : kTricky[draw.below(std::size(kTricky))]);
  }
  return names;
}

bool needs_quotes(const std::string& cell, char separator) {
  return cell.find_first_of("\"\r\n\t; ") != std::string::npos || cell.find(separator) != std::string::npos;
}

std::string in_quotes(const std::string& cell) {
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

}  // namespace

Options draw_options(Draw& draw) {
  Options options;
  for (const Choice& choice : choices()) {
    const std::size_t index = draw.below(choice.values.size());
    Options changed = options;
    const bool accepted = succeeds([&] {
      set_option(changed, choice.name, choice.values[index]);
      if (index > 0) validate(changed);
    });
    if (accepted) options = changed;
  }
  return options;
}

DrawnTable draw_table(Draw& draw) {
  DrawnTable table;
  table.separator = ",;\t"[draw.below(3)];
  table.quoted = draw.below(4) > 0;
  const std::size_t columns = 2 + draw.below(4), rows = 12 + draw.below(30);
  std::vector<std::size_t> kinds;
  for (std::size_t i = 0; i < columns; ++i) kinds.push_back(draw.below(7));
  if (draw.below(2) == 0) table.records.push_back(header(draw, columns));
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<std::string>& record = table.records.emplace_back();
    for (const std::size_t kind : kinds) record.push_back(cell(draw, kind));
  }
  return table;
}

std::string DrawnTable::text_of(const std::vector<std::vector<std::string>>& some) const {
  std::string text;
  for (const auto& record : some) {
    for (std::size_t i = 0; i < record.size(); ++i) {
      if (i > 0) text += separator;
      text += quoted && needs_quotes(record[i], separator) ? in_quotes(record[i]) : record[i];
    }
    text += '\n';
  }
  return text;
}

}  // namespace halfstep::fuzz
