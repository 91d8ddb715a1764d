// The back ends behind make_executor; a new one is a file and a line here and in executor.cpp.
#pragma once
#include <memory>

#include "parallel/executor.hpp"

namespace halfstep::internal {

std::unique_ptr<Executor> make_tbb_executor(int threads);
std::unique_ptr<Executor> make_host_executor(int threads);  // in tbb.cpp
std::unique_ptr<Executor> make_thread_pool(int threads);
std::unique_ptr<Executor> make_serial_executor(int threads);

}  // namespace halfstep::internal
