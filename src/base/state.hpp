// State that a resumed run needs, visited by name. An object names its numbers and arrays once, in
// `void visit_state(StateVisitor&)`; the same visit saves, loads and compares. Between visits an object must be at
// rest: no step half done, no update left.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace halfstep::internal {

enum class StateType : std::uint8_t { number, integer, text, fp32, int64, bits16, bytes };
std::size_t size_of(StateType type);  // bytes of an element

// No run counts up to it: a file that says so is not believed, and sums of what is below cannot overflow.
constexpr std::int64_t kMostCount = std::int64_t{1} << 48;

class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  // Where the visitor loads, the variable is overwritten.
  void number(std::string_view name, double& value) { scalar(name, StateType::number, &value, sizeof value); }
  void integer(std::string_view name, std::int64_t& value) { scalar(name, StateType::integer, &value, sizeof value); }
  virtual void text(std::string_view name, std::string& value) = 0;
  // Any counter or enumeration, as an integer. Throws Error(format) where what is loaded is negative, does not fit `T`
  // or is not below `end`.
  template <class T>
  void value(std::string_view name, T& value, std::int64_t end = kMostCount) {
    auto wide = static_cast<std::int64_t>(value);
    integer(name, wide);
    if (!loads_scalars()) return;
    if (wide < 0 || wide >= end || static_cast<std::int64_t>(static_cast<T>(wide)) != wide) out_of_range(name);
    value = static_cast<T>(wide);
  }
  // `elements` of an array that is as long when it is loaded.
  virtual void array(std::string_view name, StateType type, void* data, std::size_t elements) = 0;
  template <class Buffer>
  void array(std::string_view name, StateType type, Buffer& buffer) {
    static_assert(std::is_trivially_copyable_v<std::remove_reference_t<decltype(*buffer.data())>>);
    array(name, type, buffer.data(), buffer.size() * sizeof(*buffer.data()) / size_of(type));
  }
  // Elements of a vector that may be longer or shorter when it is loaded: visit(element) for each.
  template <class T, class F>
  void list(std::string_view name, std::vector<T>& elements, F visit) {
    const Group group(*this, name);
    std::int64_t count = static_cast<std::int64_t>(elements.size());
    const std::int64_t stored = list_size(count);
    if (loads_scalars()) elements.resize(static_cast<std::size_t>(stored));
    for (std::int64_t i = 0; i < stored; ++i) {
      const Group element(*this, std::to_string(i));
      T other = {};  // where only names and sizes are checked
      visit(i < static_cast<std::int64_t>(elements.size()) ? elements[static_cast<std::size_t>(i)] : other);
    }
  }

  // True while numbers are loaded: an object that must not take every value checks them then, and throws.
  virtual bool loads_scalars() const { return false; }

  // Throws Error(format): what was loaded under this name is no value for it.
  [[noreturn]] void out_of_range(std::string_view name) const;

  // Names within it begin with "name.".
  class Group {
   public:
    Group(StateVisitor& visitor, std::string_view name) : visitor_(visitor), before_(visitor.prefix_.size()) {
      visitor.prefix_ += name;
      visitor.prefix_ += '.';
    }
    ~Group() { visitor_.prefix_.resize(before_); }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

   private:
    StateVisitor& visitor_;
    std::size_t before_;
  };

 protected:
  virtual void scalar(std::string_view name, StateType type, void* value, std::size_t bytes) = 0;
  virtual std::int64_t list_size(std::int64_t count) = 0;
  std::string full(std::string_view name) const { return prefix_ + std::string(name); }

 private:
  std::string prefix_;
};

struct StateEntry {
  std::string name;  // "optimizer.layers.0.weight.m"
  StateType type;
  std::size_t elements;
  std::vector<std::byte> bytes;
};

// A copy of the state of some object.
struct State {
  std::vector<StateEntry> entries;
  const StateEntry* find(std::string_view name) const;  // null: there is none
  bool operator==(const State&) const;                  // names, sizes and bits
};

// Names of what differs, in the order of `a`; then what only `b` has.
std::vector<std::string> differing(const State& a, const State& b);

namespace detail {
class StateSaver final : public StateVisitor {
 public:
  explicit StateSaver(State& state, bool arrays = true) : state_(state), arrays_(arrays) {}
  using StateVisitor::array;
  void text(std::string_view name, std::string& value) override;
  void array(std::string_view name, StateType type, void* data, std::size_t elements) override;

 private:
  void scalar(std::string_view name, StateType type, void* value, std::size_t bytes) override;
  std::int64_t list_size(std::int64_t count) override;
  State& state_;
  bool arrays_;
};

// First checks all names, types and sizes; then loads the scalars; then the arrays.
class StateLoader final : public StateVisitor {
 public:
  enum class Pass : std::uint8_t { check, scalars, arrays };
  StateLoader(const State& state, Pass pass) : state_(state), pass_(pass) {}
  using StateVisitor::array;
  void text(std::string_view name, std::string& value) override;
  void array(std::string_view name, StateType type, void* data, std::size_t elements) override;
  bool loads_scalars() const override { return pass_ == Pass::scalars; }
  std::size_t visited() const { return visited_; }

 private:
  void scalar(std::string_view name, StateType type, void* value, std::size_t bytes) override;
  std::int64_t list_size(std::int64_t count) override;
  const StateEntry& entry(std::string_view name, StateType type) const;
  const State& state_;
  Pass pass_;
  std::size_t visited_ = 0;
};

[[noreturn]] void refuse_extra(const State& state, std::size_t visited);
}  // namespace detail

template <class T>
State save_state(T& object) {
  State state;
  detail::StateSaver saver(state);
  object.visit_state(saver);
  return state;
}

// Throws Error(format) where a name is missing or unknown, a size differs, or the object refuses a number; it is then
// as it was.
template <class T>
void load_state(T& object, const State& state) {
  using Pass = detail::StateLoader::Pass;
  detail::StateLoader check(state, Pass::check);
  object.visit_state(check);
  if (check.visited() != state.entries.size()) detail::refuse_extra(state, check.visited());
  State before;
  detail::StateSaver saver(before, false);
  object.visit_state(saver);
  try {
    detail::StateLoader scalars(state, Pass::scalars);
    object.visit_state(scalars);
  } catch (...) {
    detail::StateLoader undo(before, Pass::scalars);
    object.visit_state(undo);
    throw;
  }
  detail::StateLoader arrays(state, Pass::arrays);
  object.visit_state(arrays);
}

}  // namespace halfstep::internal
