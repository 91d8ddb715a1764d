#include "data/column_kind.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "data/missing.hpp"
#include "data/recipe.hpp"
#include "data/text.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kFewTokens = 5;  // so many words among numbers stand for missing ones

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

enum class Cell { plain, written, missing, infinite, other };

class Decision {
 public:
  Decision(const ColumnEvidence& evidence, const ColumnRules& rules, const std::string& name)
      : e_(evidence), rules_(rules), name_(name), cells_(e_.texts.size()) {
    kind_.values.assign(e_.texts.size(), kNaN);
    kind_.missing.assign(e_.texts.size(), false);
  }

  ColumnKind make() {
    if (rules_.reading == Reading::categories) return as_texts();
    look_at_each();
    read_written();
    if (kind_.needs_texts) return kind_;
    count();
    return decide();
  }

 private:
  std::size_t size() const { return e_.texts.size(); }
  // Blanks inside quotes are part of a text, not of a number.
  std::string_view text(std::size_t i) const { return trim_blanks(e_.texts[i].text); }

  void look_at_each() {
    for (std::size_t i = 0; i < size(); ++i) {
      if (is_missing_number(text(i))) {
        cells_[i] = Cell::missing;
        continue;
      }
      const CellKind kind = parse_number(text(i), kind_.values[i]);
      cells_[i] = kind == CellKind::number ? Cell::plain : kind == CellKind::text ? Cell::other : Cell::infinite;
      if (kind != CellKind::number) kind_.values[i] = kNaN;
    }
  }

  bool has_point(std::size_t i) const {
    return cells_[i] == Cell::plain && text(i).find('.') != std::string_view::npos;
  }

  // Numbers in other words than the plain ones. Decimal commas make of the points of the same column groups of digits.
  void read_written() {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < size(); ++i) {
      if (cells_[i] == Cell::other) texts.emplace_back(text(i));
    }
    choice_ = choose_format(texts, rules_.decimal);
    points_ = e_.has_point || any([&](std::size_t i) { return has_point(i); });
    kind_.comma = choice_.format.decimal == DecimalSign::comma && choice_.grouped_or_comma;
    // Points alone are groups only where the rest of the file says so, and all of them can be.
    if (!kind_.comma && points_ && rules_.decimal_is_known && rules_.decimal == DecimalSign::comma) {
      kind_.comma = !e_.kept || all_points_group();
      choice_.format.decimal = kind_.comma ? DecimalSign::comma : choice_.format.decimal;
    }
    if (kind_.comma && points_ && !e_.kept) {
      kind_.needs_texts = true;
      return;
    }
    for (std::size_t i = 0; i < size(); ++i) {
      const bool grouped = kind_.comma && has_point(i);
      if (cells_[i] != Cell::other && !grouped) continue;
      const auto number = read_written_number(text(i), choice_.format.decimal);
      const bool fits = number && (number->unit.empty() || number->unit == choice_.format.unit);
      cells_[i] = fits ? Cell::written : Cell::other;
      kind_.values[i] = fits ? number->value : kNaN;
    }
  }

  bool all_points_group() const {
    return !any([&](std::size_t i) { return has_point(i) && !read_written_number(text(i), DecimalSign::comma); });
  }

  template <class F>
  bool any(F f) const {
    for (std::size_t i = 0; i < size(); ++i) {
      if (f(i)) return true;
    }
    return false;
  }

  void count() {
    numbers_ = e_.numbers;
    std::set<double> distinct;
    for (std::size_t i = 0; i < size(); ++i) {
      const std::size_t n = e_.texts[i].count;
      if (cells_[i] == Cell::plain || cells_[i] == Cell::written) {
        numbers_ += n;
        if (distinct.size() <= kFewNumbers) distinct.insert(kind_.values[i]);
      }
      if (cells_[i] == Cell::written) written_ = true;
      if (cells_[i] == Cell::infinite) infinite_ = true;
      if (cells_[i] != Cell::other) continue;
      others_ += n;
      ++other_texts_;
      others_have_digits_ = others_have_digits_ || has_digit(text(i));
    }
    many_ = e_.many_numbers || distinct.size() > kFewNumbers;
  }

  ColumnKind decide() {
    if (rules_.reading != Reading::automatic) return as_numbers_if_any();
    if (numbers_ == 0 && (others_ > 0 || infinite_)) return as_texts();
    if (others_ == 0) return infinite_ ? with_problem("is too large or not finite", correct()) : without_others();
    if (!many_) return as_mixed();
    const bool words = !rules_.target && other_texts_ <= kFewTokens && !others_have_digits_;
    if (words) return as_numbers("taken as missing; --categorical " + name_ + " keeps them apart");
    const bool few = numbers_ > 19 * others_ || (!rules_.target && other_texts_ <= kFewTokens);
    if (!few) return as_texts();
    return with_problem("is text in a column of numbers", correct());
  }

  std::string correct() const {
    const std::string others =
        "--numeric " + name_ + " (a text is missing), --categorical " + name_ + " or --drop " + name_;
    return "correct it, or name it with --missing" + (rules_.target ? "" : ", or " + others);
  }

  ColumnKind as_numbers_if_any() {
    const bool strict = rules_.reading == Reading::numbers_only;
    const std::string hint = strict ? "correct it, or name it with --missing to have it taken as missing" : correct();
    if (others_ > 0 && strict) return with_problem("is text, and training knew numbers only", hint);
    if (others_ > 0 && numbers_ == 0) return with_problem("is text, and there is no number in the column", hint);
    if (infinite_) return with_problem("is too large or not finite", hint);
    return as_numbers("taken as missing");
  }

  ColumnKind without_others() {
    const bool small_codes = written_ && !many_ && !choice_.format.unit.empty() &&
                             !is_quantity_sign(choice_.format.unit) && !choice_.grouped_or_comma;
    if (small_codes) return as_texts();
    const bool id = e_.has_identifier || any([&](std::size_t i) { return names_something(i); });
    if (!id || points_) return as_numbers("");
    if (!e_.kept) {
      kind_.needs_texts = true;
      return kind_;
    }
    const bool repeats = size() * 2 <= e_.rows && size() <= kMaxCategories;
    if (repeats || rules_.target) {
      kind_.remarks.push_back("has digits that are names, such as leading zeros: taken as categories; --numeric " +
                              name_ + " takes them as numbers");
      return as_texts();
    }
    kind_.remarks.push_back(
        "has digits that look like names, such as leading zeros, too many for categories: taken as "
        "numbers; if it is an id, --drop it");
    return as_numbers("");
  }

  bool names_something(std::size_t i) const { return cells_[i] == Cell::plain && is_identifier(text(i)); }

  ColumnKind as_mixed() {
    if (numbers_ >= others_) {
      kind_.remarks.push_back("has numbers and texts (" + list_others() + "), taken as categories; " +
                              (rules_.target ? "name texts that mean no value with --missing"
                                             : "--numeric " + name_ + " takes the texts as missing"));
    }
    return as_texts();
  }

  ColumnKind as_numbers(const std::string& others) {
    kind_.numeric = true;
    for (std::size_t i = 0; i < size(); ++i) kind_.missing[i] = kind_.values[i] != kind_.values[i];
    if (others_ > 0) kind_.remarks.push_back(list_others() + " " + others);
    if (written_) say_format();
    return kind_;
  }

  ColumnKind as_texts() {
    kind_.numeric = false;
    kind_.unit.clear();
    kind_.needs_texts = !e_.kept && e_.numbers > 0;
    for (std::size_t i = 0; i < size(); ++i) {
      kind_.values[i] = kNaN;
      kind_.missing[i] = !rules_.own_missing && is_missing_text(text(i));
    }
    return kind_;
  }

  ColumnKind with_problem(std::string why, std::string hint) {
    const auto wrong = [&](std::size_t i) { return cells_[i] == (others_ > 0 ? Cell::other : Cell::infinite); };
    for (std::size_t i = 0; i < size(); ++i) {
      if (wrong(i) && (kind_.problem == 0 || e_.texts[i].line < e_.texts[kind_.problem - 1].line))
        kind_.problem = i + 1;
    }
    kind_.why = std::move(why);
    kind_.hint = std::move(hint);
    return kind_;
  }

  std::string list_others() const {
    std::string out;
    std::size_t shown = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      if (cells_[i] != Cell::other || ++shown > kFewTokens) continue;
      out += (out.empty() ? "" : ", ") + excerpt(text(i)) + " (" + std::to_string(e_.texts[i].count) + ")";
    }
    return shown > kFewTokens ? out + " and " + std::to_string(shown - kFewTokens) + " more" : out;
  }

  void say_format() {
    std::size_t example = size();
    for (std::size_t i = size(); i-- > 0;) {
      if (cells_[i] == Cell::written) example = i;
    }
    kind_.unit = choice_.format.unit;
    std::string remark = excerpt(text(example)) + " is read as " + number_text(kind_.values[example]);
    const bool doubtful = !choice_.decided && !rules_.decimal_is_known;
    if (doubtful)
      remark +=
          kind_.comma ? "; if commas group digits, --decimal point" : "; if commas are decimal signs, --decimal comma";
    kind_.remarks.push_back(remark);
  }

  const ColumnEvidence& e_;
  const ColumnRules& rules_;
  const std::string& name_;
  std::vector<Cell> cells_;
  ColumnKind kind_;
  FormatChoice choice_;
  std::size_t numbers_ = 0, others_ = 0, other_texts_ = 0;
  bool many_ = false, written_ = false, infinite_ = false, others_have_digits_ = false, points_ = false;
};

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) return all_digits(text.substr(0, e)) && all_digits(text.substr(e + 1));
  if (!all_digits(text)) return false;
  if (text.size() > 1 && text[0] == '0') return true;
  if (text.size() < 16) return false;
  double number = 0;
  parse_number(text, number);
  constexpr double kExact = 9007199254740992.0;  // 2^53
  return number > kExact || (number == kExact && text != "9007199254740992");
}

ColumnKind decide_kind(const ColumnEvidence& evidence, const ColumnRules& rules, const std::string& name) {
  return Decision(evidence, rules, name).make();
}

}  // namespace halfstep::internal::data
