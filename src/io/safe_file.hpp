// Files that are either the old ones or the new ones, whatever happens in between.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace halfstep::internal::io {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// Replaces the file `path` by the concatenated `parts`, durably and at once: when this returns, the new
// content survives a power failure; when it throws Error(io), the old file is untouched and no temporary is
// left. A symbolic link is followed, mode and owner of an existing file are kept.
void write_file_atomic(const std::string& path, std::span<const Bytes> parts);

// Throws Error(io) when write_file_atomic to `path` would fail now: no such folder, not writable, the target
// is no regular file. Leaves nothing behind, and removes temporaries of writers that died.
void write_probe(const std::string& path);

}  // namespace halfstep::internal::io
