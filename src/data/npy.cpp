#include "data/npy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/float16.hpp"
#include "data/table_reader.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostHeader = 1 << 16, kMostDimensions = 8;

[[noreturn]] void fail_npy(const Source& source, std::string why, std::string hint = {}) {
  fail(Status::format, "damaged NPY file", source.name, std::move(why), std::move(hint));
}

// The dictionary's text, taken apart from left to right.
class NpyHeader {
 public:
  NpyHeader(const Source& source, std::string_view text) : source_(source), rest_(text) { parse(); }

  std::string_view type;  // "<f8"
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;

  [[noreturn]] void fail_type(const std::string& found) const {
    fail(Status::unsupported, "the array does not hold numbers that are read", source_.name,
         "its type is " + found + "; integers, floats to 8 bytes and truth values are",
         "numpy.save(file, array.astype('f4'))");
  }

 private:
  void parse() {
    int found = 0;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr") {
        found |= 1;
        if (skip_blanks(), rest_.starts_with('[')) fail_type("a structure");
        type = string();
      } else if (key == "fortran_order") {
        found |= 2;
        fortran_order = truth();
      } else if (key == "shape") {
        found |= 4;
        shape = tuple();
      } else {
        bad("an unknown key " + excerpt(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (found != 7) bad("it lacks descr, fortran_order or shape");
  }

  [[noreturn]] void bad(const std::string& why) const { fail_npy(source_, "in the header: " + why); }

  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) bad(std::string("'") + c + "' expected before " + excerpt(rest_.substr(0, 16)));
  }
  std::string_view string() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) bad("a text without an end");
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool truth() {
    skip_blanks();
    for (const std::string_view word : {"True", "False"}) {
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return word == "True";
    }
    bad("fortran_order is neither True nor False");
  }
  std::vector<std::uint64_t> tuple() {
    std::vector<std::uint64_t> sizes;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (error != std::errc() || sizes.size() == kMostDimensions) bad("the shape is none that is read");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  const Source& source_;
  std::string_view rest_;
};

enum class Element { truth, integer, natural, real };

// The bits of a value, the first byte lowest, as a number.
struct NpyValue {
  Element kind;
  std::size_t bytes;
  std::uint64_t bits;

  std::int64_t integer() const {
    const std::size_t unused = 64 - 8 * bytes;
    return static_cast<std::int64_t>(bits << unused) >> unused;
  }
  double real() const {
    if (kind == Element::integer) return static_cast<double>(integer());
    if (kind != Element::real) return static_cast<double>(bits);
    if (bytes == 2) return static_cast<double>(to_fp32(Fp16{static_cast<std::uint16_t>(bits)}));
    if (bytes == 4) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return std::bit_cast<double>(bits);
  }
};

class NpyArray {
 public:
  explicit NpyArray(const Source& source) : source_(source) {
    const NpyHeader header = read_header();
    read_type(header);
    read_shape(header);
  }

  std::size_t dimensions() const { return dimensions_; }
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_.size(); }  // all behind the first dimension as one
  bool is_bytes() const { return kind_ == Element::natural && bytes_ == 1; }
  bool is_real() const { return kind_ == Element::real; }
  const Source& source() const { return source_; }

  NpyValue at(std::size_t row, std::size_t column) const {
    const char* from = data_.data() + (row * row_step_ + columns_[column]) * bytes_;
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < bytes_; ++i) {
      const std::size_t place = big_endian_ ? bytes_ - 1 - i : i;
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * place);
    }
    return {kind_, bytes_, kind_ == Element::truth ? std::uint64_t{bits != 0} : bits};
  }

  [[noreturn]] void fail_infinite(std::size_t row, std::size_t column) const {
    fail(Status::format, "bad number in the data", source_.name,
         "row " + std::to_string(row) + ", column " + std::to_string(column) + " (from 0) is infinite",
         "where a value is missing, NaN; numpy.clip, where it is too large");
  }

 private:
  NpyHeader read_header() {
    const std::string_view text = source_.text();
    if (text.size() < 10 || !is_npy(text)) fail_npy(source_, "it does not begin as one");
    const int version = text[6];
    const std::size_t width = version == 1 ? 2 : 4;
    if (version < 1 || version > 3 || text[7] != 0) {
      fail(Status::unsupported, "unknown version of NPY", source_.name, "1.0, 2.0 and 3.0 are read");
    }
    std::size_t length = 0;
    for (std::size_t i = 0; i < width && 8 + i < text.size(); ++i) {
      length |= static_cast<std::size_t>(static_cast<unsigned char>(text[8 + i])) << (8 * i);
    }
    if (length > kMostHeader || 8 + width + length > text.size()) fail_npy(source_, "the header is cut off");
    data_ = text.substr(8 + width + length);
    return {source_, text.substr(8 + width, length)};
  }

  void read_type(const NpyHeader& header) {
    const std::string_view type = header.type;
    const bool known = type.size() == 3 && std::string_view("<>|=").find(type[0]) != std::string_view::npos;
    const std::size_t bytes = known && is_digit(type[2]) ? static_cast<std::size_t>(type[2] - '0') : 0;
    const bool power = std::has_single_bit(bytes) && bytes <= 8;
    if (power && type[1] == 'b' && bytes == 1) {
      kind_ = Element::truth;
    } else if (power && type[1] == 'i') {
      kind_ = Element::integer;
    } else if (power && type[1] == 'u') {
      kind_ = Element::natural;
    } else if (power && type[1] == 'f' && bytes > 1) {
      kind_ = Element::real;
    } else {
      header.fail_type(excerpt(type));
    }
    bytes_ = bytes;
    big_endian_ = type[0] == '>';
  }

  void read_shape(const NpyHeader& header) {
    dimensions_ = header.shape.size();
    if (dimensions_ == 0) fail_npy(source_, "a single number, not rows of them");
    const std::uint64_t available = data_.size() / bytes_;
    std::uint64_t product = 1;
    for (const std::uint64_t size : header.shape) {
      if (size == 0) fail(Status::format, "the array is empty", source_.name, "one of its dimensions is 0");
      if (product > available / size) fail_npy(source_, "its shape needs more values than there are", "is it cut off?");
      product *= size;
    }
    if (product * bytes_ != data_.size()) {
      fail_npy(source_, std::to_string(data_.size()) + " bytes of values where the shape needs " +
                            std::to_string(product * bytes_));
    }
    rows_ = header.shape[0];
    if (rows_ > std::numeric_limits<std::uint32_t>::max()) fail_npy(source_, "more rows than can be read");
    place_columns(header, product / rows_);
  }

  // Distances in values of a row's numbers from its first, in C order whatever order the file has.
  void place_columns(const NpyHeader& header, std::size_t columns) {
    row_step_ = header.fortran_order ? 1 : columns;
    columns_.resize(columns);
    for (std::size_t i = 0; i < columns; ++i) columns_[i] = i;
    if (!header.fortran_order) return;
    for (std::size_t i = 0; i < columns; ++i) {
      std::size_t rest = i, distance = 0, step = product_of_but_last(header.shape);
      for (std::size_t d = header.shape.size() - 1; d > 0; --d) {
        distance += rest % header.shape[d] * step;
        rest /= header.shape[d];
        step /= header.shape[d - 1];
      }
      columns_[i] = distance;
    }
  }

  static std::size_t product_of_but_last(const std::vector<std::uint64_t>& shape) {
    std::size_t product = 1;
    for (std::size_t d = 0; d + 1 < shape.size(); ++d) product *= shape[d];
    return product;
  }

  const Source& source_;
  std::string_view data_;
  Element kind_ = Element::real;
  std::size_t bytes_ = 0, dimensions_ = 0, rows_ = 0, row_step_ = 0;
  bool big_endian_ = false;
  std::vector<std::size_t> columns_;
};

// A row's numbers as a table's cells: integers with all their digits, NaN as nothing.
class ArrayRows final : public SingleRows {
 public:
  ArrayRows(const NpyArray& array, const NpyArray* labels)
      : array_(array), labels_(labels), texts_(array.columns() + (labels ? labels->columns() : 0)) {}

  void rewind() override { row_ = 0; }
  bool next(std::vector<std::string_view>& cells) override {
    if (row_ == array_.rows()) return false;
    cells.clear();
    for (std::size_t i = 0; i < array_.columns(); ++i) cells.push_back(text(array_, i, texts_[i]));
    for (std::size_t i = 0; labels_ && i < labels_->columns(); ++i) {
      cells.push_back(text(*labels_, i, texts_[array_.columns() + i]));
    }
    ++row_;
    return true;
  }
  std::uint32_t line() const override { return static_cast<std::uint32_t>(row_); }

 private:
  using Text = std::array<char, 32>;

  std::string_view text(const NpyArray& array, std::size_t column, Text& text) const {
    const NpyValue value = array.at(row_, column);
    char* const end = text.data() + text.size();
    if (value.kind == Element::integer) return view(text, std::to_chars(text.data(), end, value.integer()).ptr);
    if (value.kind != Element::real) return view(text, std::to_chars(text.data(), end, value.bits).ptr);
    const double real = value.real();
    if (std::isnan(real)) return {};
    if (std::isinf(real)) array.fail_infinite(row_, column);
    char* last = std::to_chars(text.data(), end, real).ptr;
    // 1e+20 in a column of whole numbers would look like the name of something, 1.0e+20 does not.
    char* const exponent = std::find(text.data(), last, 'e');
    if (exponent != last && std::find(text.data(), exponent, '.') == exponent) {
      std::copy_backward(exponent, last, last + 2);
      exponent[0] = '.', exponent[1] = '0';
      last += 2;
    }
    return view(text, last);
  }
  static std::string_view view(const Text& text, const char* end) {
    return {text.data(), static_cast<std::size_t>(end - text.data())};
  }

  const NpyArray& array_;
  const NpyArray* labels_;
  std::vector<Text> texts_;
  std::size_t row_ = 0;
};

// `several`: a regression may have more than one.
NpyArray label_array(const Source& source, bool several) {
  NpyArray labels(source);
  if (labels.columns() == 1 || (several && labels.dimensions() == 2)) return labels;
  fail(Status::format, "labels have one number a row", source.name,
       std::to_string(labels.columns()) + " numbers in each of " + std::to_string(labels.rows()) + " rows",
       several ? "an array of one dimension, or of two for several values" : "an array of one dimension");
}

Table table_of(const NpyArray& array, const NpyArray* labels, const Options& options, const Recipe* known) {
  ArrayRows rows(array, labels);
  TableHead head;
  for (std::size_t i = 0; i < array.columns(); ++i) head.names.push_back("c" + std::to_string(i));
  const std::size_t targets = labels ? labels->columns() : 0;
  for (std::size_t i = 0; i < targets; ++i) head.names.push_back(targets == 1 ? "label" : "y" + std::to_string(i));
  Table table = read_table(rows, head, options, known, array.source().name);
  table.labels = targets;
  return table;
}

Matrix pixels_of(const NpyArray& array) {
  Matrix matrix;
  matrix.rows = array.rows();
  matrix.cols = array.columns();
  array.is_bytes() ? matrix.bytes.reserve(matrix.rows * matrix.cols) : matrix.floats.reserve(matrix.rows * matrix.cols);
  for (std::size_t row = 0; row < matrix.rows; ++row) {
    for (std::size_t column = 0; column < matrix.cols; ++column) {
      const NpyValue value = array.at(row, column);
      if (array.is_bytes()) {
        matrix.bytes.push_back(static_cast<std::uint8_t>(value.bits));
        continue;
      }
      const auto pixel = static_cast<float>(value.real());
      if (!std::isfinite(pixel)) {
        fail(Status::format, "bad number in the data", array.source().name,
             "pixel " + std::to_string(column) + " of row " + std::to_string(row) + " is no finite fp32 number",
             "numpy.nan_to_num");
      }
      matrix.floats.push_back(pixel);
    }
  }
  return matrix;
}

}  // namespace

bool is_npy(std::string_view bytes) { return bytes.starts_with(kMagic); }

RawData parse_npy(const Source& source, const Source* labels, const Options& options, const Recipe* known) {
  const NpyArray array(source);
  if (array.dimensions() == 1) {
    fail(Status::format, "the array has one dimension only", source.name, "rows of a table need two",
         "array.reshape(-1, 1) for one feature; --labels for labels");
  }
  if (array.dimensions() > 2) return {source.name, pixels_of(array)};
  if (!labels) return {source.name, table_of(array, nullptr, options, known)};
  const NpyArray last = label_array(*labels, true);
  if (last.rows() != array.rows()) {
    fail(Status::format, "rows and labels do not belong together", source.name + " and " + labels->name,
         std::to_string(array.rows()) + " rows but " + std::to_string(last.rows()) + " labels",
         "name the file of their labels with --labels");
  }
  return {source.name, table_of(array, &last, options, known)};
}

std::vector<std::int32_t> parse_npy_labels(const Source& source) {
  const NpyArray array = label_array(source, false);
  if (array.is_real()) fail(Status::format, "labels of images must be integers", source.name, "they are floats");
  std::vector<std::int32_t> labels;
  for (std::size_t row = 0; row < array.rows(); ++row) {
    const double label = array.at(row, 0).real();
    if (std::abs(label) > std::numeric_limits<std::int32_t>::max()) {
      fail(Status::format, "a label is too large", source.name, "row " + std::to_string(row));
    }
    labels.push_back(static_cast<std::int32_t>(label));
  }
  return labels;
}

}  // namespace halfstep::internal::data
