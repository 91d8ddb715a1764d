// What the targets share: what counts as a finding, and what does not.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>

#include "data/source.hpp"
#include "halfstep/error.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::fuzz {

using namespace internal;

// A broken promise is a finding, as a bad access is: prints it and aborts.
void require(bool holds, std::string_view promise, std::string_view detail = {});

// An Error is a result, if it blames nobody here and its message is one line that cannot drive a terminal.
void check_error(const Error& error);

// False when `action` threw what a caller must expect. Any other exception ends the process, which is a finding.
template <class Action>
bool succeeds(Action&& action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    check_error(error);
  } catch (const std::bad_alloc&) {
  }
  return false;
}

inline std::string_view as_text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// The text up to `end`, which is cut off with it; all of it where there is none.
std::string_view cut_front(std::string_view& text, char end);

inline data::Source source_of(std::string_view text) { return {"input", {text.begin(), text.end()}}; }

// Choices made by the bytes of an input, one each. Digits in a seed choose by number: '0' is the first choice, which is
// also what an input that has ended chooses.
class Draw {
 public:
  Draw(const std::uint8_t* bytes, std::size_t size) : rest_(as_text(bytes, size)) {}

  std::size_t below(std::size_t choices) {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front() - '0');
    rest_.remove_prefix(1);
    return byte % choices;
  }
  const char* of(std::initializer_list<const char*> choices) { return choices.begin()[below(choices.size())]; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// One folder per process.
const test::TempDir& scratch();

}  // namespace halfstep::fuzz
