// Follows a trainer: each kind of incident is explained once, when it comes first.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "doctor/capsule.hpp"
#include "doctor/trace.hpp"
#include "halfstep/incident.hpp"

namespace halfstep::internal {

class IncidentWatch {
 public:
  static constexpr std::size_t kMost = 64;  // incidents of a run, but where each is asked for

  // From now on `trainer`, which must outlive it, tells it of each step that it withholds.
  // `place` gives where a row of the set stands in its file. `see` hears of each incident, with the capsule that it
  // was found in; it may add to it. `each`: not only the first of its kind. Where looking would take more than `room`
  // bytes, or memory ends, a step is not explained.
  IncidentWatch(StepTrainer& trainer, DataWords words, std::function<std::string(std::size_t)> place,
                std::function<void(Incident&, Capsule&)> see, bool each = false,
                std::uint64_t room = ~std::uint64_t{0});
  ~IncidentWatch();
  // After another trainer was built in the place of that one.
  void follow();
  std::int64_t missed() const { return missed_; }  // steps that memory did not suffice for
  IncidentWatch(const IncidentWatch&) = delete;
  IncidentWatch& operator=(const IncidentWatch&) = delete;

 private:
  void withheld(const WithheldStep& step);
  struct Found {
    Incident incident;
    Capsule capsule;
  };
  bool has_room(const WithheldStep& step);
  std::optional<Found> look(const WithheldStep& step);
  void describe_as_it_is_now(Capsule& capsule);
  void add_places(Capsule& capsule) const;

  StepTrainer& trainer_;
  DataWords words_;
  std::function<std::string(std::size_t)> place_;
  std::function<void(Incident&, Capsule&)> see_;
  std::set<std::pair<StepCause, std::string>> seen_;
  std::set<std::int64_t> rows_;  // of the set, that incidents were explained by
  bool each_;
  std::uint64_t room_;
  std::int64_t missed_ = 0;
  std::size_t count_ = 0;
};

// Explains the step of a capsule. Runs it again.
Incident examine(const Capsule& capsule, const DataWords& words, const KernelTable& kernels, Executor& executor);

}  // namespace halfstep::internal
