// seed_models FOLDER: inputs for fuzz_model, from models as they are written today.
#include <cstdio>

#include "fuzz/support.hpp"
#include "halfstep/jobs.hpp"
#include "io/safetensors.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

constexpr const char* kClasses = "a,b,y\n1,x,p\n2,x,q\n3,z,p\n4,z,q\n5,x,p\n6,z,q\n1,,p\n2,z,q\n";
constexpr const char* kTwo = "a,h,w\n1,2.5,3\n2,4.5,1\n3,6.5,7\n4,7.5,0.5\n5,1.5,2\n6,8.5,6\n";
constexpr const char* kNumbers = "1.5,2\n2.5,4.5\n3,5.5\n4,8\n5,9.5\n6,12\n";

struct Case {
  const char* name;
  const char* table;
  const char* norm;
  const char* loss;
  const char* target = "";
};

void write_seed(const std::string& folder, const Case& c) {
  const std::string data = fuzz::scratch() / "seed.csv";
  test::write_bytes(data, c.table);
  Options options;
  options.hidden = {3, 3};
  options.steps = 1;
  options.threads = 1;
  set_option(options, "norm", c.norm);
  set_option(options, "loss", c.loss);
  options.target = c.target;
  options.out = fuzz::scratch() / "seed.safetensors";
  train(data, options, {});
  std::string text;
  for (const auto& [key, value] : io::read_safetensors(options.out).metadata) {
    // All parameters would be most of the seed, and nearly every mutation would change only them.
    const bool shortened = key == "halfstep.config";
    if (key != "halfstep.digest") text += key + " " + (shortened ? R"({"header":"auto","missing":""})" : value) + "\n";
  }
  test::write_bytes(folder + "/" + c.name, text + "\n" + c.table);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::fputs("usage: seed_models FOLDER\n", stderr);
    return 2;
  }
  for (const Case& c : {Case{"plain", kClasses, "none", "auto"}, Case{"batch", kClasses, "batch", "auto"},
                        Case{"binary", kClasses, "layer", "binary_cross_entropy"},
                        Case{"numbers", kNumbers, "rms", "huber"}, Case{"two", kTwo, "none", "mse", "h,w"}}) {
    write_seed(words[1], c);
  }
  return 0;
}
