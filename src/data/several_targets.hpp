// Several targets: the values of one regression.
#pragma once
#include "data/target.hpp"

namespace halfstep::internal::data {

// Whether this is one of few whole numbers, which alone would be classes.
bool looks_like_classes(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows);

// Completes a choice that has its columns, two or more. Throws Error(invalid_argument) where one is no number or looks
// like a part of labels, and where rows with all of them are too few.
void choose_values(const RawData& raw, const Options& options, TargetChoice& choice);

// Of several labels that stand apart those that are no target are inputs, which may say too much of it: a note.
void note_other_labels(const Table& table, TargetChoice& choice);

}  // namespace halfstep::internal::data
