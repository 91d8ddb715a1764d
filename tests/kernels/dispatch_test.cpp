#include "kernels/dispatch.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "halfstep/error.hpp"
#include "kernels/cpu.hpp"
#include "kernels/table.hpp"
#include "support/isa_loop.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

// HALFSTEP_ISA for the length of a test.
class IsaVariable {
 public:
  explicit IsaVariable(const char* value) {
    if (const char* before = std::getenv("HALFSTEP_ISA")) before_ = before;
    set(value);
  }
  ~IsaVariable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  static void set(const char* value) { value != nullptr ? setenv("HALFSTEP_ISA", value, 1) : unsetenv("HALFSTEP_ISA"); }
  std::optional<std::string> before_;
};

std::string refusal(std::string_view requested, Math math = Math::native) {
  try {
    select_isa(requested, math);
  } catch (const Error& error) {
    CHECK(error.status() == Status::unsupported);
    return error.what();
  }
  return {};
}

TEST_CASE("dispatch: scalar is first and always runs; every state has a reason") {
  REQUIRE_FALSE(isas().empty());
  CHECK(isas().front().name == std::string("scalar"));
  CHECK(isas().front().runnable);
  for (const IsaState& state : isas()) {
    CHECK_FALSE(state.reason.empty());
    if (!state.note.empty()) CHECK(state.runnable);
  }
}

TEST_CASE("dispatch: every runnable ISA can be asked for by name, and its table says the same name") {
  const IsaVariable unset(nullptr);
  test::for_each_runnable_isa([](const KernelTable& table) { CHECK(&select_isa(table.name, Math::native) == &table); });
}

TEST_CASE("dispatch: auto takes the widest that runs, native ones only where native math is asked for") {
  const IsaVariable unset(nullptr);
  for (Math math : {Math::portable, Math::native}) {
    const IsaState* widest = nullptr;
    for (const IsaState& state : isas()) {
      if (state.runnable && (math == Math::native || !state.native)) widest = &state;
    }
    CHECK(&select_isa("auto", math) == widest->table);
    CHECK(&select_isa("", math) == widest->table);
    CHECK(selection_reason("auto") == "best that this CPU runs");
    CHECK_FALSE(math_reason(*widest, math).empty());
  }
  CHECK_FALSE(isas().front().native);
}

TEST_CASE("dispatch: a native ISA is refused under portable math, whoever names it") {
  for (const IsaState& state : isas()) {
    if (!state.runnable || !state.native) continue;
    const std::string name(state.name);
    CHECK(refusal(name, Math::portable).find("--math native") != std::string::npos);
    CHECK(refusal("itanium", Math::portable).find(name) == std::string::npos);
    CHECK(math_reason(isas().front(), Math::portable).find(name) != std::string::npos);
    const IsaVariable variable(state.name);
    CHECK(refusal("auto", Math::portable).find("HALFSTEP_ISA") != std::string::npos);
    CHECK(&select_isa("auto", Math::native) == state.table);
  }
}

TEST_CASE("dispatch: the environment decides when the call does not") {
  const IsaVariable scalar("scalar");
  CHECK(select_isa_state("auto").name == std::string("scalar"));
  CHECK(selection_reason("auto") == "asked for by HALFSTEP_ISA");
  CHECK(selection_reason("avx2") == "asked for");
}

TEST_CASE("dispatch: what cannot run is refused with a list of what can") {
  CHECK(refusal("itanium").find("scalar") != std::string::npos);
  for (const IsaState& state : isas()) {
    if (!state.runnable) CHECK(refusal(state.name).find(state.reason) != std::string::npos);
  }
  const IsaVariable wrong("itanium");
  CHECK(refusal("auto").find("HALFSTEP_ISA") != std::string::npos);
}

TEST_CASE("dispatch: CPU bits that nobody knows are missing") {
  CHECK(missing_cpu_bits("").empty());
  CHECK(missing_cpu_bits("warp_drive") == "CPU lacks warp_drive");
  CHECK_FALSE(cpu_name().empty());
}

}  // namespace
