// The commands: each has a file of its own and a row in the table of commands.cpp.
#pragma once
#include <span>
#include <string>

#include "cli/args.hpp"

namespace halfstep::cli {

int run_train(const Args& args);
int run_cv(const Args& args);
int run_lr(const Args& args);
int run_eval(const Args& args);
int run_predict(const Args& args);
int run_explain(const Args& args);
int run_inspect(const Args& args);
int run_verify(const Args& args);
int run_report(const Args& args);
int run_info(const Args& args);
int run_params(const Args& args);
int run_bench(const Args& args);
int run_demo(const Args& args);
int run_doctor(const Args& args);

std::span<const Command> commands();

std::string general_help();
std::string command_help(const Command& command);  // lists what the command accepts, from the registry

// The whole program after main's own preparation: whatever it takes, memory too, may fail.
int run(std::span<char* const> arguments);

}  // namespace halfstep::cli
