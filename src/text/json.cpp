#include "text/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

#include "halfstep/error.hpp"
#include "text/utf8.hpp"

namespace halfstep::internal::json {
namespace {

[[noreturn]] void fail(std::string why, std::string where = {}) {
  throw Error(Status::format,
              {.what = "not valid JSON", .where = std::move(where), .why = std::move(why), .kept = {}, .hint = {}});
}

const char* type_name(const Value& value) {
  static constexpr const char* kNames[] = {"null",     "a boolean", "an integer", "a number",
                                           "a string", "an array",  "an object"};
  return kNames[value.data.index()];
}

[[noreturn]] void wrong_type(const char* expected, const Value& value) {
  throw Error(Status::format, {.what = "unexpected JSON value",
                               .where = {},
                               .why = std::string("expected ") + expected + ", found " + type_name(value),
                               .kept = {},
                               .hint = {}});
}

// Characters at the start of `text` that a string has as they are: of ASCII, all but quotes, backslashes and controls.
std::size_t plain_length(std::string_view text) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), plain) - text.begin());
}

void append_utf8(std::string& out, std::uint32_t code) {
  auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// Recursive descent; the depth limit bounds the stack, the value limit bounds memory.
class Parser {
 public:
  Parser(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  Value document() {
    Value value = parse_value(0);
    skip_space();
    if (at_ != text_.size()) stop("bytes after the end of the document");
    return value;
  }

 private:
  [[noreturn]] void stop(std::string why) const { fail(std::move(why), "byte " + std::to_string(at_)); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool digit() const { return peek() >= '0' && peek() <= '9'; }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  bool take(char c) {
    const bool here = peek() == c;
    if (here) ++at_;
    return here;
  }
  void expect(char c) {
    if (!take(c)) stop(at_ == text_.size() ? "the text ends too early" : std::string("expected '") + c + "'");
  }

  Value parse_value(std::size_t depth) {
    skip_space();
    if (++values_ > limits_.values) stop("more than " + std::to_string(limits_.values) + " values");
    if (at_ == text_.size()) stop("the text ends too early");
    switch (peek()) {
      case '{':
        return parse_object(depth + 1);
      case '[':
        return parse_array(depth + 1);
      case '"':
        return parse_string();
      case 't':
        return parse_word("true", true);
      case 'f':
        return parse_word("false", false);
      case 'n':
        return parse_word("null", nullptr);
      default:
        return parse_number();
    }
  }

  Value parse_word(std::string_view word, Value value) {
    if (text_.substr(at_, word.size()) != word) stop("expected a value");
    at_ += word.size();
    return value;
  }

  void check_depth(std::size_t depth) const {
    if (depth > limits_.depth) stop("nested deeper than " + std::to_string(limits_.depth));
  }

  Value parse_object(std::size_t depth) {
    check_depth(depth);
    Object object;
    std::unordered_set<std::string> seen;
    ++at_;
    skip_space();
    if (take('}')) return object;
    while (true) {
      skip_space();
      const std::size_t start = at_;
      std::string key = parse_string();
      if (!seen.insert(key).second) {
        at_ = start;
        stop("the key \"" + key + "\" appears twice");
      }
      skip_space();
      expect(':');
      object.emplace_back(std::move(key), parse_value(depth));
      skip_space();
      if (take('}')) return object;
      expect(',');
    }
  }

  Value parse_array(std::size_t depth) {
    check_depth(depth);
    Array array;
    ++at_;
    skip_space();
    if (take(']')) return array;
    while (true) {
      array.push_back(parse_value(depth));
      skip_space();
      if (take(']')) return array;
      expect(',');
    }
  }

  std::string parse_string() {
    expect('"');
    std::string out;
    while (true) {
      const std::size_t plain = plain_length(text_.substr(at_));
      out.append(text_, at_, plain);
      at_ += plain;
      if (at_ == text_.size()) stop("the text ends inside a string");
      if (take('"')) return out;
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20) stop("control character inside a string");
      if (c == '\\') {
        parse_escape(out);
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) stop("not UTF-8");
      out.append(text_.substr(at_, length));
      at_ += length;
    }
  }

  void parse_escape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    ++at_;
    if (peek() == 'u') {
      append_utf8(out, parse_code_point());
      return;
    }
    const std::size_t index = at_ < text_.size() ? kFrom.find(text_[at_]) : std::string_view::npos;
    if (index == std::string_view::npos) stop("unknown escape");
    out.push_back(kTo[index]);
    ++at_;
  }

  std::uint32_t parse_hex4() {
    expect('u');
    std::uint32_t code = 0;
    const char* begin = text_.data() + at_;
    if (text_.size() - at_ < 4 || std::from_chars(begin, begin + 4, code, 16).ptr != begin + 4) stop("bad \\u escape");
    at_ += 4;
    return code;
  }

  std::uint32_t parse_code_point() {
    const std::uint32_t high = parse_hex4();
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF) stop("surrogate without its first half");
    expect('\\');
    const std::uint32_t low = parse_hex4();
    if (low < 0xDC00 || low > 0xDFFF) stop("surrogate without its second half");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }

  void skip_digits() {
    if (!digit()) stop("expected a digit");
    while (digit()) ++at_;
  }

  // The grammar is checked here because from_chars accepts more ("1.", "01") than JSON does.
  Value parse_number() {
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    if (!digit()) stop("expected a value");
    if (peek() == '0') {
      ++at_;
    } else {
      skip_digits();
    }
    // The integer type has no negative zero.
    bool integer = text_.substr(start, at_ - start) != "-0";
    if (peek() == '.') {
      integer = false;
      ++at_;
      skip_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      integer = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      skip_digits();
    }
    if (integer) return convert<std::int64_t>(start);
    return convert<double>(start);
  }

  template <typename T>
  Value convert(std::size_t start) {
    T number{};
    const auto [end, error] = std::from_chars(text_.data() + start, text_.data() + at_, number);
    if (error != std::errc{} || end != text_.data() + at_) {
      at_ = start;
      stop("number out of range");
    }
    return number;
  }

  std::string_view text_;
  Limits limits_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

void dump_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t plain = plain_length(text.substr(i));
    out.append(text, i, plain);
    if ((i += plain) == text.size()) break;
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text.substr(i));
    if (c == '"' || c == '\\') {
      out.append({'\\', static_cast<char>(c)});
    } else if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (is_control(text.substr(i, std::max<std::size_t>(length, 1)))) {
      const unsigned char last =
          static_cast<unsigned char>(text[i + length - 1]);  // of C1, U+0080 to U+009F, the number
      out.append("\\u00").append({kHex[last >> 4], kHex[last & 15]});
    } else if (length == 0) {
      out.append("\\ufffd");  // file names need not be UTF-8; the output must be
    } else {
      out.append(text.substr(i, length));
    }
    i += std::max<std::size_t>(length, 1);
  }
  out.push_back('"');
}

void dump_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out.append(std::isnan(number) ? "\"nan\"" : number > 0 ? "\"inf\"" : "\"-inf\"");
    return;
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  const std::string_view written(text, static_cast<std::size_t>(end - text));
  out.append(written);
  // Keeps a number a number when it is read back.
  if (written.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

void dump_to(std::string& out, const Value& value) {
  switch (value.data.index()) {
    case 0:
      out.append("null");
      return;
    case 1:
      out.append(value.as_bool() ? "true" : "false");
      return;
    case 2:
      out.append(std::to_string(value.as_integer()));
      return;
    case 3:
      dump_number(out, value.as_number());
      return;
    case 4:
      dump_string(out, value.as_string());
      return;
    case 5: {
      char separator = '[';
      for (const Value& item : value.as_array()) {
        out.push_back(std::exchange(separator, ','));
        dump_to(out, item);
      }
      out.append(separator == '[' ? "[]" : "]");
      return;
    }
    default: {
      char separator = '{';
      for (const auto& [key, item] : value.as_object()) {
        out.push_back(std::exchange(separator, ','));
        dump_string(out, key);
        out.push_back(':');
        dump_to(out, item);
      }
      out.append(separator == '{' ? "{}" : "}");
    }
  }
}

template <typename T>
const T& get(const Value& value, const char* expected) {
  if (const T* found = std::get_if<T>(&value.data)) return *found;
  wrong_type(expected, value);
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  const Object* object = std::get_if<Object>(&data);
  if (object == nullptr) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Value& Value::at(std::string_view key) const {
  if (const Value* value = find(key)) return *value;
  throw Error(Status::format, {.what = "unexpected JSON value",
                               .where = {},
                               .why = "the key \"" + std::string(key) + "\" is missing",
                               .kept = {},
                               .hint = {}});
}

bool Value::as_bool() const { return get<bool>(*this, "a boolean"); }
std::int64_t Value::as_integer() const { return get<std::int64_t>(*this, "an integer"); }
const std::string& Value::as_string() const { return get<std::string>(*this, "a string"); }
const Array& Value::as_array() const { return get<Array>(*this, "an array"); }
const Object& Value::as_object() const { return get<Object>(*this, "an object"); }

double Value::as_number() const {
  if (is_integer()) return static_cast<double>(as_integer());
  if (const std::string* text = std::get_if<std::string>(&data)) {
    if (*text == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (*text == "inf") return std::numeric_limits<double>::infinity();
    if (*text == "-inf") return -std::numeric_limits<double>::infinity();
  }
  return get<double>(*this, "a number");
}

Value parse(std::string_view text, const Limits& limits) { return Parser(text, limits).document(); }

std::string dump(const Value& value) {
  std::string out;
  dump_to(out, value);
  return out;
}

}  // namespace halfstep::internal::json
