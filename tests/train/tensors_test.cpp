// What the optimizer is told of each parameter.
#include <doctest/doctest.h>

#include "train/step.hpp"

using namespace halfstep;
using namespace halfstep::internal;

TEST_CASE("tensors: the embedding has a rate of its own, and all but the last matrix are hidden") {
  NetworkShape shape;
  shape.widths = {4, 20, 12, 3};
  shape.embedded = {{true, 5}, {true, 7}};
  shape.embedding = 6;
  shape.members = 2;
  shape.norm = Norm::layer;
  shape.max_rows = 8;
  const Network network(shape);
  const std::vector<OptimizerTensor> tensors = TrainStep::tensor_sizes(network, 6);
  REQUIRE(tensors.size() == network.trained().size());
  int embedded = 0, hidden = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = network.trained()[i]->name;
    CAPTURE(name);
    const bool embeds = name.starts_with("embedding."),
               is_hidden = name == "layers.0.weight" || name == "layers.1.weight";
    CHECK(tensors[i].rate == (embeds ? 6 : 1));
    CHECK(tensors[i].hidden.has_value() == is_hidden);
    embedded += embeds ? 1 : 0;
    hidden += is_hidden ? 1 : 0;
  }
  CHECK(embedded == 2);
  CHECK(hidden == 2);
  for (const OptimizerTensor& t : TrainStep::tensor_sizes(network)) CHECK(t.rate == 1);
}
