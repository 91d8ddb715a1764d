// What holds for every table that was read and for the examples made of it.
#pragma once
#include "data/preprocess.hpp"
#include "data/table.hpp"

namespace halfstep::fuzz {

using namespace internal;

void check_table(const data::Table& table);

// `rows`: how many there must be.
void check_examples(const data::Preprocessor& preprocessor, const data::Examples& examples, std::size_t rows);

}  // namespace halfstep::fuzz
