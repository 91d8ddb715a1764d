// A new run's recipe with the inputs of a model, as its file has it.
#include "data/transfer.hpp"

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

TEST_SUITE("data/transfer") {
  TEST_CASE("columns without names stay where they are, in the file of the model too") {
    const std::string text = "1,50,3,0.5\n2,10,5,1.5\n3,90,4,2.5\n4,20,9,0.25\n";
    for (const char* left : {"0", "1", "2"}) {
      CAPTURE(left);
      Options options;
      options.drop = {left};
      const Preprocessor known = Preprocessor::fit(raw_of(text, options), options);
      std::vector<std::string> notes;
      const Preprocessor p(with_inputs_of(known.recipe(), known.recipe(), "t", notes));
      const Preprocessor q = Preprocessor::from_json(p.to_json());
      const Examples before = p.apply(raw_of(text), true), after = q.apply(raw_of(text), true);
      CHECK(before.x == known.apply(raw_of(text), true).x);
      CHECK(after.x == before.x);
    }
  }
}
