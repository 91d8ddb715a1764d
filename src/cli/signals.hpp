// Signals that end a run early, but with its model saved.
#pragma once

namespace halfstep::cli {

// Once for the whole program: writing to a closed pipe or beyond a size limit becomes an error to handle, and
// file descriptors 0 to 2 are open, so that no file ever becomes "standard output".
void prepare_process();

// From here on the first SIGINT, SIGTERM or SIGHUP is only noted; a second SIGINT exits at once. A signal that
// was ignored when the program started (nohup, background job) stays ignored.
void catch_stop_signals();

// The signal noted, or 0.
int stop_signal();

// From here on SIGUSR1 asks for a checkpoint instead of ending the program.
void catch_save_signal();
// Whether one came since the last call.
bool take_save_signal();

}  // namespace halfstep::cli
