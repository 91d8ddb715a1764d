// What the records of record.cpp are: four 64-bit numbers (operation, descriptor, sizes of what follows), then two
// texts: the bytes written, or a path; and a second path.
#pragma once
#include <cstdint>

namespace halfstep::faults {

enum class Operation : std::int64_t { open, open_empty, write, fsync, close, reserve, rename, link, unlink };

}  // namespace halfstep::faults
