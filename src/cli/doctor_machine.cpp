#include <cstdint>
#include <limits>

#include "cli/doctor.hpp"
#include "cli/info_text.hpp"
#include "halfstep/machine_check.hpp"
#include "halfstep/text.hpp"

namespace halfstep::cli {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

std::string failure_json(const KernelFailure& failure) {
  JsonObject object;
  object.text("kernel", failure.kernel).text("dtype", name(failure.dtype));
  object.integer("length", static_cast<std::int64_t>(failure.length));
  object.integer("element", static_cast<std::int64_t>(failure.element));
  return object.text("got", failure.got).text("wanted", failure.wanted).str();
}

std::string check_json(const IsaCheck& check) {
  std::vector<std::string> failures;
  for (const KernelFailure& failure : check.failures) failures.push_back(failure_json(failure));
  JsonObject object;
  object.text("isa", check.isa).integer("kernels", check.kernels).integer("passed", check.passed);
  return object.integer("calls", check.calls).raw("failures", "[" + joined(failures, ",") + "]").str();
}

std::string speed_json(const PrecisionSpeed& speed) {
  JsonObject object;
  object.text("precision", name(speed.precision)).boolean("native", speed.native);
  object.number("gemm_gflops", speed.gemm_gflops).number("gemm_speedup", speed.gemm_speedup);
  return object.number("step_ns", speed.step_ns).number("step_speedup", speed.step_speedup).str();
}

// A number of bytes or of things; null: no limit.
std::string limit_json(std::uint64_t limit) { return limit == kNoLimit ? "null" : std::to_string(limit); }

void add_limits(JsonObject& object, const MachineLimits& limits) {
  std::vector<std::string> process;
  for (const ProcessLimit& limit : limits.process) {
    JsonObject entry;
    process.push_back(
        entry.text("name", limit.name).raw("soft", limit_json(limit.soft)).raw("hard", limit_json(limit.hard)).str());
  }
  object.integer("affinity_cpus", limits.affinity_cpus);
  object.raw("cpu_quota", limits.cpu_quota > 0 ? json_text(limits.cpu_quota) : "null");
  object.raw("memory_bytes", limit_json(limits.memory_bytes)).text("memory_source", limits.memory_source);
  object.raw("process_limits", "[" + joined(process, ",") + "]");
}

std::string report_json(const MachineReport& report) {
  std::vector<std::string> checks, speeds;
  for (const IsaCheck& check : report.self_test) checks.push_back(check_json(check));
  for (const PrecisionSpeed& speed : report.precisions) speeds.push_back(speed_json(speed));
  JsonObject object, caller;
  object.text("command", "doctor").text("examination", "machine").boolean("ok", report.ok);
  object.text("advice", report.advice);
  add_info(object, report.system);
  object.raw("self_test", "[" + joined(checks, ",") + "]").raw("precisions", "[" + joined(speeds, ",") + "]");
  object.text("fastest", report.fastest);
  add_limits(object, report.limits);
  caller.text("rounding", report.floating_point.rounding).boolean("ftz", report.floating_point.flushes_results);
  caller.boolean("daz", report.floating_point.flushes_inputs).boolean("traps", report.floating_point.traps);
  return object.raw("floating_point", caller.str()).line();
}

std::string check_text(const IsaCheck& check) {
  std::string text =
      row("self-test", check.isa + ": " + std::to_string(check.passed) + " of " + std::to_string(check.kernels) +
                           " kernels passed, in " + std::to_string(check.calls) + " calls");
  for (const KernelFailure& failure : check.failures) {
    text += row("", check.isa + " " + failure.kernel + " of " + std::string(name(failure.dtype)) + ", length " +
                        std::to_string(failure.length) + ", element " + std::to_string(failure.element) + ": got " +
                        failure.got + ", wanted " + failure.wanted);
  }
  return text;
}

std::string speed_text(const PrecisionSpeed& speed) {
  const auto beside_fp32 = [&](double speedup) {
    return speed.precision == Dtype::fp32 ? std::string() : " (" + short_number(speedup, 3) + " of fp32)";
  };
  return row(name(speed.precision),
             std::string(speed.native ? "native" : "emulated") + ", product " + short_number(speed.gemm_gflops, 3) +
                 " GFLOP/s" + beside_fp32(speed.gemm_speedup) + ", training step " +
                 short_number(speed.step_ns / 1000, 3) + " us" + beside_fp32(speed.step_speedup));
}

std::string limits_text(const MachineLimits& limits) {
  std::string text =
      row("cpus", std::to_string(limits.affinity_cpus) + " in the affinity mask, " +
                      (limits.cpu_quota > 0 ? "quota " + short_number(limits.cpu_quota, 3) : "no quota"));
  text += row("memory",
              limits.memory_bytes == kNoLimit
                  ? std::string("no limit known")
                  : short_number(static_cast<double>(limits.memory_bytes) / 1e9, 3) + " GB, " + limits.memory_source);
  std::vector<std::string> set;
  for (const ProcessLimit& limit : limits.process) {
    if (limit.soft != kNoLimit) set.push_back(limit.name + " " + std::to_string(limit.soft));
  }
  return text + row("ulimits", set.empty() ? "none" : joined(set, ", "));
}

std::string caller_text(const CallerFloatingPoint& caller) {
  return row("rounding", caller.rounding + ", subnormals " +
                             (caller.flushes_results || caller.flushes_inputs ? "flushed" : "kept") + " (FTZ " +
                             (caller.flushes_results ? "on" : "off") + ", DAZ " +
                             (caller.flushes_inputs ? "on" : "off") + "), " + (caller.traps ? "traps" : "no traps") +
                             "; halfstep sets its own while it computes");
}

std::string report_text(const MachineReport& report) {
  std::string text = info_text(report.system);
  text += limits_text(report.limits) + caller_text(report.floating_point);
  for (const IsaCheck& check : report.self_test) text += check_text(check);
  for (const PrecisionSpeed& speed : report.precisions) text += speed_text(speed);
  return text + row("fastest", report.fastest);
}

}  // namespace

int doctor_machine(const Args& args) {
  const MachineReport report =
      examine_machine({.isa = args.options.isa, .math = args.options.math, .threads = args.options.threads});
  print(args.json ? report_json(report) : report_text(report));
  if (report.ok) return kOk;
  Narrator(args).warning(report.advice);
  return kInternal;
}

}  // namespace halfstep::cli
