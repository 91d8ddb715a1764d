#include "base/state.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "base/digest.hpp"
#include "base/state_bytes.hpp"
#include "halfstep/error.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

struct Item {
  std::string name;
  std::int64_t count = 0;
  bool operator==(const Item&) const = default;
};

struct Thing {
  double number = 0;
  std::int64_t integer = 0;
  int small = 0;  // 0 to 9
  std::string text;
  std::array<float, 3> values = {};
  std::vector<Item> items;
  bool operator==(const Thing&) const = default;

  void visit_state(StateVisitor& v) {
    v.number("number", number);
    v.integer("integer", integer);
    v.value("small", small, 10);
    const StateVisitor::Group group(v, "inner");
    v.text("text", text);
    v.array("values", StateType::fp32, values);
    v.list("items", items, [&](Item& item) {
      v.text("name", item.name);
      v.integer("count", item.count);
    });
  }
};

const Thing kThing = {0.1, -7, 9, "a\nb", {1, -0.0f, std::numeric_limits<float>::infinity()}, {{"x", 1}, {"y", 2}}};

// Why a state is refused; what it was loaded into must be as before.
std::string refused(const State& state) {
  Thing other = {2, 3, 4, "old", {7, 8, 9}, {{"z", 5}}};
  const Thing before = other;
  std::string why;
  try {
    load_state(other, state);
  } catch (const Error& error) {
    CHECK(error.status() == Status::format);
    why = error.what();
  }
  CHECK(other == before);
  return why;
}

State with(std::string_view name, auto change) {
  Thing thing = kThing;
  State state = save_state(thing);
  for (StateEntry& e : state.entries) {
    if (e.name == name) change(e);
  }
  return state;
}

TEST_CASE("state: what is saved is loaded, bit for bit, whatever was there") {
  Thing thing = kThing;
  const State state = save_state(thing);
  CHECK(state.entries.front().name == "number");
  CHECK(state.find("inner.items.1.count") != nullptr);
  for (Thing other : {Thing(), kThing, Thing{.items = std::vector<Item>(5)}}) {
    load_state(other, state);
    CHECK(other == kThing);
    CHECK(std::signbit(other.values[1]));
    CHECK(save_state(other) == state);
  }
  Thing third = kThing;
  third.items[1].count = 3;
  CHECK(differing(state, save_state(third)) == std::vector<std::string>{"inner.items.1.count"});
}

TEST_CASE("state: a state that does not fit is refused by name, and nothing is loaded") {
  CHECK(refused(with("integer", [](StateEntry& e) { e.name = "other"; })).find("integer") != std::string::npos);
  CHECK(refused(with("inner.values", [](StateEntry& e) { e.elements = 2, e.bytes.resize(8); })).find("2 elements") !=
        std::string::npos);
  CHECK(refused(with("number", [](StateEntry& e) { e.type = StateType::integer; })).find("type") != std::string::npos);
  CHECK(refused(with("small", [](StateEntry& e) { e.bytes[0] = std::byte{10}; })).find("out of range") !=
        std::string::npos);
  CHECK(refused(with("small", [](StateEntry& e) { e.bytes[7] = std::byte{1}; })).find("small") != std::string::npos);
  CHECK_FALSE(refused(with("inner.items.count", [](StateEntry& e) { e.bytes[6] = std::byte{1}; })).empty());
  CHECK_FALSE(refused(with("inner.items.count", [](StateEntry& e) { e.bytes[0] = std::byte{3}; })).empty());
  CHECK_FALSE(refused(with("inner.items.count", [](StateEntry& e) { e.bytes[0] = std::byte{1}; })).empty());
  CHECK_FALSE(refused({}).empty());
}

TEST_CASE("state: as bytes and back; bytes that are cut off or altered are refused") {
  Thing thing = kThing;
  const State state = save_state(thing);
  std::vector<std::byte> bytes = state_bytes(state);
  CHECK(state_from_bytes(bytes) == state);
  std::size_t accepted = 0;
  auto try_it = [&](std::span<const std::byte> wrong) {
    try {
      (void)state_from_bytes(wrong);
      ++accepted;
    } catch (const Error& error) {
      CHECK(error.status() == Status::format);
    }
  };
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    try_it(std::span(bytes).first(n));
    bytes[n] ^= std::byte{0x10};
    try_it(bytes);
    bytes[n] ^= std::byte{0x10};
  }
  // A digest that fits does not make up for what follows the last entry.
  std::vector<std::byte> longer(bytes.begin(), bytes.end() - 8);
  longer.resize(longer.size() + 8);
  Digest digest;
  digest.update(longer.data(), longer.size());
  for (int i = 0; i < 8; ++i) longer.push_back(static_cast<std::byte>(digest.value() >> 8 * i & 0xff));
  try_it(longer);
  CHECK(accepted == 0);
}

}  // namespace
