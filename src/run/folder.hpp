// Folders that a run reads and writes.
#pragma once
#include <string>

namespace halfstep::internal {

// With those above it, where they are missing. Throws Error(io) naming `parameter`, which asked for it.
void make_folder(const std::string& folder, const char* parameter);

bool is_folder(const std::string& path);

// Of this machine, for names of files and messages; "host" where the system does not tell.
std::string host_name();

}  // namespace halfstep::internal
