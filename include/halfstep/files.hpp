// Writing whole files so that a failure never leaves half of one.
#pragma once
#include <string>
#include <string_view>

namespace halfstep {

// The endings of the names of data files that are read: ".csv .tsv ...".
std::string data_endings();

// Replaces `path` durably and at once. Throws Error(io); the old file is then untouched.
void write_file(const std::string& path, std::string_view bytes);

// Throws Error(io) when write_file to `path` would fail now. Leaves nothing behind.
void check_writable(const std::string& path);

}  // namespace halfstep
