// Writing whole files so that a failure never leaves half of one, and never over a file that is read.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace halfstep {

// The endings of the names of data files that are read: ".csv .tsv ...".
std::string data_endings();

// Replaces `path` durably and at once. Throws Error(io); the old file is then untouched.
void write_file(const std::string& path, std::string_view bytes);

// Throws Error(io) when write_file to `path` would fail now. Leaves nothing behind.
void check_writable(const std::string& path);

// Whether two paths lead to one file, however they are spelled: relative or absolute, through links of both kinds, and
// where the file does not exist yet.
bool same_file(const std::string& a, const std::string& b);

// A file by what it is to the user: {"--out", "m.safetensors"}, {"the data", "prices.csv"}.
struct NamedFile {
  std::string role;
  std::string path;  // "-" of an input: standard input
};

// Throws Error(invalid_argument) when one of `outputs` is one of `inputs` or another of `outputs`.
void check_apart(std::span<const NamedFile> outputs, std::span<const NamedFile> inputs);

}  // namespace halfstep
