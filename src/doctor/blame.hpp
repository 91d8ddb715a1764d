// Who is to blame for an incident: the row, the weights, the learning rate, the loss scale or the storage type.
#pragma once
#include "doctor/rerun.hpp"
#include "doctor/trace.hpp"
#include "halfstep/incident.hpp"

namespace halfstep::internal {

// Fills in all that follows from what trace() found: reason, row of the data, its values, why and advice.
void blame(Rerun& rerun, const DataWords& words, Incident& incident);

// Of a run whose weights were found bad after its last step, as StepTrainer::check_weights says: there is no row.
Incident incident_of_weights(StepTrainer& trainer, const StepRecord& record);

}  // namespace halfstep::internal
