// The examinations of the doctor; each has a file of its own and a row in the table of doctor.cpp.
#pragma once
#include "cli/args.hpp"

namespace halfstep::cli {

int doctor_machine(const Args& args);
int doctor_preflight(const Args& args);
int doctor_replay(const Args& args);
int doctor_file(const Args& args);  // a capsule, a metrics file or a model

}  // namespace halfstep::cli
