// What a Model shares among its copies and predictors.
#pragma once
#include <list>

#include "halfstep/model.hpp"
#include "kernels/table.hpp"
#include "metrics/output_meaning.hpp"
#include "nn/network.hpp"
#include "run/model_file.hpp"

namespace halfstep {

struct Model::Impl {
  // `saved` without its tensors, which the networks have.
  Impl(internal::SavedModel model, const internal::KernelTable& table);

  internal::SavedModel saved;
  const internal::KernelTable& kernels;
  internal::OutputMeaning meaning;
  std::list<internal::Network> weights;  // of each network
};

}  // namespace halfstep
