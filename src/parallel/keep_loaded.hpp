// Code that threads of others may still be in cannot be unloaded.
#pragma once

namespace halfstep::internal {

// From the first call on, the shared object that halfstep is in stays loaded until the process ends, when its last
// dlclose is over too. For work that is handed to oneTBB: its workers sleep in a library that would be unloaded with
// this one, and come back from tasks through code of ours after we have seen the tasks end. Own threads are joined.
void keep_loaded() noexcept;

}  // namespace halfstep::internal
