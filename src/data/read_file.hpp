// Reads one file of any known format. A new format is a row in read_file.cpp.
#pragma once
#include <string>

#include "data/raw_data.hpp"
#include "data/read_how.hpp"
#include "data/source.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;

// The format is what options.format says, or the name, or what the first bytes show beyond doubt; what was found by
// them is a remark. "-" is standard input. With `known` a table is read as the one that a model was trained on.
DataPair read_file(const std::string& path, const Options& options, const Recipe* known, Parts parts,
                   const ReadHow& how = {});

// The same of bytes that were read already. `path`: where the labels of images may be found.
DataPair read_bytes(Source source, const std::string& path, const Options& options, const Recipe* known, Parts parts,
                    const ReadHow& how = {});

// The endings of names that are read, such as ".csv .tsv", for help and messages.
std::string known_endings();

}  // namespace halfstep::internal::data
