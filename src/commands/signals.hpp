// The signals that end the program, taken by the main thread when it asks instead of by a handler.
#pragma once

namespace buildplan::commands {

// Blocks SIGINT, SIGTERM, SIGHUP and the wake-up in the calling thread and those it will start; ignores SIGPIPE.
void hold_signals();

// Waits for one of them, or for `wake_main`. Gives the signal, 0 for the wake-up.
int wait_for_signal();

// From any thread: lets the main thread's wait return.
void wake_main();

// From now on the next SIGINT or SIGTERM ends the process at once: for somebody who presses Ctrl-C twice.
void release_signals();

}  // namespace buildplan::commands
