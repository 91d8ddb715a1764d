#include "data/sniff_dialect.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "data/csv_scan.hpp"
#include "data/missing.hpp"
#include "data/number_format.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kSampleBytes = std::size_t{1} << 20;
constexpr std::size_t kSampleRecords = 300;

struct Separator {
  char sign;
  std::string_view name;
};
// Where all else is equal the first wins: a comma may be a decimal sign, a blank stands in many texts.
constexpr std::array<Separator, 5> kSeparators = {
    {{'\t', "tab"}, {';', "semicolon"}, {'|', "pipe"}, {',', "comma"}, {kBlanks, "blanks"}}};

// The first records as one separator cuts them.
struct Sample {
  std::size_t records = 0;
  std::size_t hashes = 0;  // records that begin with '#', counted apart where there are others
  std::size_t used = 0;    // fields without those at the end in which no record has anything
  std::map<std::size_t, std::size_t> widths;
  std::map<std::size_t, std::size_t> numbers;  // cells that are numbers or missing, by width
  bool broken = false;

  std::size_t width() const {
    const auto most = std::max_element(widths.begin(), widths.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == widths.end() ? 1 : most->first;
  }
  // How well the records agree, and how much of them is numbers: from 0 to 2.
  double score(std::size_t least) const {
    const std::size_t w = width();
    if (w < least || records == 0) return 0;
    const double alike = static_cast<double>(widths.at(w));
    const double share = alike / static_cast<double>(records);
    return share + static_cast<double>(numbers.at(w)) / (alike * static_cast<double>(w)) - (broken ? 0.5 : 0);
  }
};

bool looks_like_number(std::string_view cell) {
  double number = 0;
  return is_missing_number(cell) || parse_number(cell, number) == CellKind::number ||
         read_written_number(cell, DecimalSign::point) || read_written_number(cell, DecimalSign::comma);
}

void count(Sample& sample, const std::vector<std::string_view>& fields) {
  ++sample.records;
  ++sample.widths[fields.size()];
  const auto last = std::find_if(fields.rbegin(), fields.rend(), [](std::string_view f) { return !f.empty(); });
  sample.used = std::max(sample.used, static_cast<std::size_t>(fields.rend() - last));
  sample.numbers[fields.size()] +=
      static_cast<std::size_t>(std::count_if(fields.begin(), fields.end(), looks_like_number));
}

Sample take_sample(std::string_view text, char separator) {
  Sample sample, hashes;
  RecordScanner scanner(text, Dialect{separator}, "");
  std::vector<std::string_view> fields;
  try {
    while (sample.records + hashes.records < kSampleRecords && scanner.next(fields)) {
      count(fields[0].starts_with('#') ? hashes : sample, fields);
    }
  } catch (const Error&) {
    sample.broken = true;  // quotes that make no sense with this separator, or damage that the reader will report
  }
  if (sample.records == 0) return hashes;
  sample.hashes = hashes.records;
  return sample;
}

Dialect dialect_of(char separator, const Sample& sample) {
  const std::size_t width = sample.width();
  return {separator, width, sample.hashes > 0 && (width > 1 || sample.hashes <= sample.records)};
}

// Runs of blanks and tabs cut wherever a tab does, but lose an empty field and take what stands behind it for the
// first: columns that tabs make alike are the tabs'.
bool are_tabs(std::string_view text, const Sample& blanks) {
  const Sample tabs = take_sample(text, '\t');
  return tabs.widths.size() == 1 && tabs.width() > 1 && tabs.width() == blanks.width();
}

std::string_view sample_of(std::string_view text) {
  if (text.size() <= kSampleBytes) return text;
  const std::size_t end = text.find_last_of("\r\n", kSampleBytes);
  return text.substr(0, end == std::string_view::npos ? kSampleBytes : end);
}

}  // namespace

std::string separator_name(char separator) {
  for (const Separator& s : kSeparators) {
    if (s.sign == separator) return std::string(s.name);
  }
  return excerpt(std::string(1, separator));
}

std::string known_separators() {
  std::string text;
  for (const Separator& s : kSeparators) text += (text.empty() ? "" : ", ") + std::string(s.name);
  return text;
}

char separator_of(const std::string& name) {
  for (const Separator& s : kSeparators) {
    if (s.name == name) return s.sign;
  }
  if (name == "\\t") return '\t';
  const bool usable = name.size() == 1 && name[0] != '"' && name[0] != '\n' && name[0] != '\r' && name[0] != '\0';
  if (usable) return name[0];
  fail(Status::invalid_argument, "no such separator", "--separator", excerpt(name),
       "auto, " + known_separators() + ", or a sign");
}

Dialect sniff_dialect(std::string_view text, const std::string& given, std::span<const std::size_t> expected,
                      char usual) {
  text = sample_of(text);
  if (given != "auto") {
    const char separator = separator_of(given);
    return dialect_of(separator, take_sample(text, separator));
  }
  Dialect best{','};
  double most = 0;
  for (const Separator& s : kSeparators) {
    const Sample sample = take_sample(text, s.sign);
    const auto is_expected = [&](std::size_t w) {
      return std::find(expected.begin(), expected.end(), w) != expected.end();
    };
    const bool fits = is_expected(sample.width()) || is_expected(sample.used);
    double score = sample.score(fits ? 1 : 2);
    if (score > 0 && fits) score += s.sign == usual ? 2 : 1;
    if (s.sign == kBlanks && are_tabs(text, sample)) continue;
    if (score <= most && !(most == 0 && s.sign == ',')) continue;
    most = std::max(score, most);
    best = dialect_of(s.sign, sample);
  }
  return best;
}

}  // namespace halfstep::internal::data
