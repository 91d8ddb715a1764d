#include "base/state.hpp"

#include <algorithm>
#include <cstring>

#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(
      Status::format,
      {.what = "the saved state does not fit", .where = name, .why = why, .kept = "what was there before", .hint = {}});
}

bool same(const StateEntry& a, const StateEntry& b) {
  return a.type == b.type && a.elements == b.elements && a.bytes == b.bytes;
}

}  // namespace

std::size_t size_of(StateType type) {
  switch (type) {
    case StateType::number:
    case StateType::integer:
    case StateType::int64:
      return 8;
    case StateType::fp32:
      return 4;
    case StateType::bits16:
      return 2;
    case StateType::text:
    case StateType::bytes:
      return 1;
  }
  return 1;
}

void StateVisitor::out_of_range(std::string_view name) const { refuse(full(name), "this number is out of range"); }

const StateEntry* State::find(std::string_view name) const {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const StateEntry& e) { return e.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

bool State::operator==(const State& other) const { return differing(*this, other).empty(); }

std::vector<std::string> differing(const State& a, const State& b) {
  std::vector<std::string> names;
  for (const StateEntry& e : a.entries) {
    const StateEntry* other = b.find(e.name);
    if (other == nullptr || !same(e, *other)) names.push_back(e.name);
  }
  for (const StateEntry& e : b.entries) {
    if (a.find(e.name) == nullptr) names.push_back(e.name);
  }
  return names;
}

namespace detail {

void StateSaver::scalar(std::string_view name, StateType type, void* value, std::size_t bytes) {
  const auto* first = static_cast<const std::byte*>(value);
  state_.entries.push_back({full(name), type, 1, {first, first + bytes}});
}

void StateSaver::text(std::string_view name, std::string& value) {
  const auto* first = reinterpret_cast<const std::byte*>(value.data());
  state_.entries.push_back({full(name), StateType::text, value.size(), {first, first + value.size()}});
}

void StateSaver::array(std::string_view name, StateType type, void* data, std::size_t elements) {
  if (!arrays_) return;
  const auto* first = static_cast<const std::byte*>(data);
  state_.entries.push_back({full(name), type, elements, {first, first + elements * size_of(type)}});
}

std::int64_t StateSaver::list_size(std::int64_t count) {
  integer("count", count);
  return count;
}

const StateEntry& StateLoader::entry(std::string_view name, StateType type) const {
  const StateEntry* found = state_.find(full(name));
  if (found == nullptr) refuse(full(name), "it is missing");
  if (found->type != type || found->bytes.size() != found->elements * size_of(type)) {
    refuse(full(name), "it has another type");
  }
  return *found;
}

void StateLoader::scalar(std::string_view name, StateType type, void* value, std::size_t bytes) {
  ++visited_;
  const StateEntry& e = entry(name, type);
  if (e.elements != 1) refuse(full(name), "it is not a single number");
  if (pass_ == Pass::scalars) std::memcpy(value, e.bytes.data(), bytes);
}

void StateLoader::text(std::string_view name, std::string& value) {
  ++visited_;
  const StateEntry& e = entry(name, StateType::text);
  if (pass_ == Pass::scalars) value.assign(reinterpret_cast<const char*>(e.bytes.data()), e.bytes.size());
}

void StateLoader::array(std::string_view name, StateType type, void* data, std::size_t elements) {
  ++visited_;
  if (pass_ == Pass::scalars) return;
  const StateEntry& e = entry(name, type);
  if (e.elements != elements) {
    refuse(full(name),
           "it has " + std::to_string(e.elements) + " elements, " + std::to_string(elements) + " are expected");
  }
  if (pass_ == Pass::arrays && elements > 0) std::memcpy(data, e.bytes.data(), e.bytes.size());
}

// Every element has numbers of its own, so a count beyond the entries there are is no count.
std::int64_t StateLoader::list_size(std::int64_t) {
  ++visited_;
  const StateEntry& e = entry("count", StateType::integer);
  std::int64_t count = 0;
  if (e.elements == 1) std::memcpy(&count, e.bytes.data(), sizeof count);
  if (e.elements != 1 || count < 0 || static_cast<std::size_t>(count) > state_.entries.size()) {
    refuse(full("count"), "it is no count");
  }
  return count;
}

void refuse_extra(const State& state, std::size_t visited) {
  refuse("the saved state",
         "it has " + std::to_string(state.entries.size()) + " entries, " + std::to_string(visited) + " are expected");
}

}  // namespace detail
}  // namespace halfstep::internal
