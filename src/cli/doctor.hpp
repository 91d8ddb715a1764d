// The examinations of the doctor; each has a file of its own and a row in the table of doctor.cpp.
#pragma once
#include "cli/args.hpp"

namespace halfstep::cli {

int doctor_machine(const Args& args);

}  // namespace halfstep::cli
