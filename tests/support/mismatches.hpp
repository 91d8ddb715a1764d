// Collects what is wrong in a loop, so that a test case asserts once: CHECK_MESSAGE(wrong.none(), wrong.text()).
#pragma once
#include <cstddef>
#include <sstream>
#include <string>

namespace halfstep::test {

using namespace internal;

class Mismatches {
 public:
  // Counts one; the first few are kept as text.
  template <class... Parts>
  void add(const Parts&... parts) {
    if (++count_ > kKept) return;
    std::ostringstream line;
    line.precision(9);
    ((line << parts), ...);
    text_ += "\n  " + line.str();
  }
  bool none() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  std::string text() const { return std::to_string(count_) + " wrong, such as" + text_; }

 private:
  static constexpr std::size_t kKept = 8;
  std::size_t count_ = 0;
  std::string text_;
};

}  // namespace halfstep::test
