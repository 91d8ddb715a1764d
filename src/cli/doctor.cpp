#include "cli/doctor.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/lists.hpp"
#include "cli/output.hpp"

namespace halfstep::cli {
namespace {

using Word = std::string_view;

struct Examination {
  Word name;
  Word usage;         // what follows the name
  std::size_t least;  // positional arguments behind the name
  std::size_t most;
  int (*run)(const Args&);      // positional: what stands behind the name
  std::span<const Word> takes;  // of the flags and parameters of `halfstep doctor`, but its switches; empty: all
};

constexpr Word kMachine[] = {"threads", "isa", "math"};
constexpr Examination kExaminations[] = {{"replay", "CAPSULE [flags]", 1, 1, doctor_replay, kMachine},
                                         {"machine", "[flags]", 0, 0, doctor_machine, kMachine},
                                         {"preflight", "DATA [flags of train]", 1, 1, doctor_preflight, {}}};
// Of a capsule, a metrics file or a model, which has no name before it.
constexpr Examination kFile = {"FILE", "", 1, 1, doctor_file, kMachine};

[[noreturn]] void refuse_flag(Word name, const Examination& examination) {
  refuse("flag does not apply", "--" + std::string(name),
         "doctor " + std::string(examination.name) + " would ignore it");
}

// One left at its default cannot be told from one not given.
void refuse_ignored(const Args& args, const Examination& examination) {
  const auto takes = [&](Word name) {
    return examination.takes.empty() ||
           std::find(examination.takes.begin(), examination.takes.end(), name) != examination.takes.end();
  };
  if (!args.config.empty() && !examination.takes.empty()) refuse_flag("config", examination);
  for (const Command& command : commands()) {
    if (command.run != run_doctor) continue;
    for (const Flag& flag : command.flags) {
      if (!takes(flag.name) && flag_value(args, flag.name) != flag.default_value) refuse_flag(flag.name, examination);
    }
  }
  for (const ParameterInfo& info : parameters()) {
    if (!takes(info.name) && get_option(args.options, info.name) != info.default_value) {
      refuse_flag(info.name, examination);
    }
  }
}

void refuse_count(std::size_t count, const Examination& examination) {
  const std::string usage = "halfstep doctor " + std::string(examination.name) + " " + std::string(examination.usage);
  if (count < examination.least) refuse("an argument is missing", "doctor " + std::string(examination.name), usage);
  if (count > examination.most) refuse("too many arguments", "doctor " + std::string(examination.name), usage);
}

std::string usages() {
  std::vector<std::string> texts;
  for (const Examination& examination : kExaminations) {
    texts.push_back("halfstep doctor " + std::string(examination.name) + " " + std::string(examination.usage));
  }
  return joined(texts, ", ");
}

}  // namespace

int run_doctor(const Args& args) {
  const std::string& name = args.positional.front();
  for (const Examination& examination : kExaminations) {
    if (examination.name != name) continue;
    Args rest = args;
    rest.positional.erase(rest.positional.begin());
    refuse_count(rest.positional.size(), examination);
    refuse_ignored(rest, examination);
    return examination.run(rest);
  }
  if (std::FILE* const file = std::fopen(name.c_str(), "rb")) {
    (void)std::fclose(file);
    refuse_count(args.positional.size(), kFile);
    refuse_ignored(args, kFile);
    return kFile.run(args);
  }
  refuse("'" + name + "' is neither an examination nor a file that can be read", "doctor",
         "halfstep doctor FILE, " + usages());
}

}  // namespace halfstep::cli
