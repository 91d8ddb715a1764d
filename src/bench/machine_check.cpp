#include "halfstep/machine_check.hpp"

#include "bench/precision_speed.hpp"
#include "doctor/machine_limits.hpp"
#include "doctor/reference_table.hpp"
#include "doctor/self_test.hpp"
#include "doctor/self_test_advice.hpp"
#include "kernels/dispatch.hpp"
#include "parallel/executor.hpp"
#include "parallel/threads.hpp"

namespace halfstep {

using namespace internal;
namespace {

// Of every ISA that runs here; scalar comes first.
std::vector<IsaCheck> check_kernels() {
  std::vector<TestedTable> tables;
  for (const IsaState& state : isas()) {
    if (state.runnable) tables.push_back({state.name, state.table});
  }
  return self_test(reference_table(*isas().front().table), tables);
}

std::vector<std::string> usable_names(Math math) {
  std::vector<std::string> names;
  for (const IsaState& state : isas()) {
    if (usable(state, math)) names.push_back(state.name);
  }
  return names;
}

}  // namespace

MachineReport examine_machine(const MachineOptions& options) {
  MachineReport report;
  report.floating_point = caller_floating_point();
  report.system = system_info(options.isa, options.math);
  if (options.threads > 0) {
    report.system.threads = choose_threads(options.threads).count;
    report.system.threads_reason = "asked for";
  }
  report.limits = machine_limits();
  report.self_test = check_kernels();
  const IsaState& chosen = select_isa_state(options.isa, options.math);
  report.advice = self_test_advice(report.self_test, chosen.name, usable_names(options.math));
  report.ok = report.advice.empty();
  if (!options.measure) return report;
  const ParallelLimit limit(report.system.threads);
  report.precisions = precision_speeds(*chosen.table, report.system.threads);
  report.fastest = fastest_precision(report.precisions);
  return report;
}

}  // namespace halfstep
