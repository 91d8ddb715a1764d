// Failures that must be told without memory: whole lines of static text, written at once.
#pragma once

namespace halfstep::cli {

// "error[HS-0005]: out of memory" on stderr, and with `json` on stdout too. Gives the exit code.
int report_out_of_memory(bool json) noexcept;

// From here on an exception that nobody can catch, as in a thread of oneTBB's own, ends the program with one line and
// an exit code instead of a signal. Never for a library: the handler is the process's.
void report_uncaught_exceptions() noexcept;

}  // namespace halfstep::cli
