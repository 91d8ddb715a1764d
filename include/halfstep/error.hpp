// What the library throws. An overflowing gradient is data, never an Error.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

namespace halfstep {

// Numbers are stable: they are the HS-xxxx code a user sees.
enum class Status : std::int32_t {
  ok = 0,
  invalid_argument = 1,  // a parameter or a combination of parameters
  io = 2,                // the operating system refused to read or write
  format = 3,            // bytes that are not what they should be: data or model files
  unsupported = 4,       // an ISA, version or feature that is not here
  out_of_memory = 5,
  limit = 6,      // a size beyond what is accepted
  cancelled = 7,  // the caller asked to stop
  diverged = 8,   // training cannot go on
  state = 9,      // called at the wrong time
  internal = 10   // a bug in halfstep
};

// One failure in the five parts a reader needs. Parts may be empty, except `what`.
struct ErrorParts {
  std::string what;   // what failed
  std::string where;  // file, line, column, parameter
  std::string why;    // the cause
  std::string kept;   // what was left untouched
  std::string hint;   // what to try
};

// A failure: its number, its five parts, and all of them in what().
class Error : public std::runtime_error {
 public:
  Error(Status status, ErrorParts parts);             // what() is made of the parts that are not empty
  Status status() const { return status_; }           // never ok
  const ErrorParts& parts() const { return parts_; }  // valid as long as the error
  // "HS-0003"
  std::string code() const;

 private:
  Status status_;
  ErrorParts parts_;
};

}  // namespace halfstep
