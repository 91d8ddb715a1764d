#include <vector>

#include "cli/commands.hpp"
#include "cli/signals.hpp"

int main(int argc, char** argv) {
  halfstep::cli::prepare_process();
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return halfstep::cli::run(words);
}
