// JSON as files and reports need it: ordered objects, integers kept apart from numbers, a strict parser.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace halfstep::internal::json {

struct Value;
using Object = std::vector<std::pair<std::string, Value>>;  // in the order written
using Array = std::vector<Value>;

struct Value {
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> data = nullptr;

  Value() = default;
  // libstdc++ 12 destroys a variant that none of these types can leave valueless as if it held one, even after its
  // copying threw. An assignment makes the copy beside it, then moves it in.
  Value(const Value& other) { data = other.data; }
  Value(Value&&) noexcept = default;
  Value& operator=(const Value& other) { return *this = Value(other); }
  Value& operator=(Value&&) noexcept = default;
  ~Value() = default;
  Value(std::nullptr_t) {}
  Value(std::same_as<bool> auto v) : data(v) {}
  // Unsigned values beyond int64 do not fit and become a number.
  template <std::integral T>
  requires(!std::same_as<T, bool>) Value(T v) {
    if (std::in_range<std::int64_t>(v)) {
      data = static_cast<std::int64_t>(v);
    } else {
      data = static_cast<double>(v);
    }
  }
  Value(std::floating_point auto v) : data(static_cast<double>(v)) {}
  Value(std::string v) : data(std::move(v)) {}
  Value(std::string_view v) : data(std::string(v)) {}
  Value(const char* v) : data(std::string(v)) {}
  Value(Array v) : data(std::move(v)) {}
  Value(Object v) : data(std::move(v)) {}

  bool is_null() const { return data.index() == 0; }
  bool is_bool() const { return data.index() == 1; }
  bool is_integer() const { return data.index() == 2; }
  bool is_number() const { return data.index() == 2 || data.index() == 3; }  // integers are numbers too
  bool is_string() const { return data.index() == 4; }
  bool is_array() const { return data.index() == 5; }
  bool is_object() const { return data.index() == 6; }

  // Null when this is no object or has no such key.
  const Value* find(std::string_view key) const;
  // The value under `key`; throws Error(format) naming the key when it is absent.
  const Value& at(std::string_view key) const;

  // Each throws Error(format) when the value is of another type. as_number takes integers too, and the
  // strings "nan", "inf" and "-inf" that dump writes for non-finite numbers.
  bool as_bool() const;
  std::int64_t as_integer() const;
  double as_number() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;
};

struct Limits {
  std::size_t depth = 16;
  std::size_t values = std::size_t{1} << 20;
};

// Strict RFC 8259: valid UTF-8, no duplicate keys, no trailing bytes. A text without '.' or exponent is an
// integer and must fit int64. Throws Error(format) with the byte offset.
Value parse(std::string_view text, const Limits& limits = {});

// Compact, with the shortest numbers that read back to the same bits.
std::string dump(const Value& value);

}  // namespace halfstep::internal::json
