#include "cli/commands.hpp"
#include "cli/last_words.hpp"
#include "cli/signals.hpp"

int main(int argc, char** argv) {
  halfstep::cli::prepare_process();
  halfstep::cli::report_uncaught_exceptions();
  return halfstep::cli::run({argv + (argc > 0 ? 1 : 0), argv + argc});
}
