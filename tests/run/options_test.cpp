#include "halfstep/options.hpp"

#include <doctest/doctest.h>

#include <set>

#include "halfstep/error.hpp"
#include "io/temp_dir.hpp"

using namespace halfstep;
using halfstep::test::TempDir;
using halfstep::test::write_bytes;

namespace {

ErrorParts refusal(const char* name, const std::string& value) {
  Options options;
  try {
    set_option(options, name, value);
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_argument);
    return error.parts();
  }
  return {};
}

bool accepted(const char* name, const std::string& value) { return refusal(name, value).what.empty(); }

Options with(std::initializer_list<std::pair<const char*, const char*>> settings) {
  Options options;
  for (const auto& [name, value] : settings) set_option(options, name, value);
  return options;
}

}  // namespace

TEST_CASE("options: names are unique and every default is accepted by its own setter") {
  std::set<std::string_view> names;
  for (const ParameterInfo& info : parameters()) {
    CAPTURE(info.name);
    CHECK(names.insert(info.name).second);
    CHECK(!info.help.empty());
    Options options;
    set_option(options, info.name, info.default_value);
    CHECK(get_option(options, info.name) == info.default_value);
  }
  CHECK(names.size() >= 42);
}

TEST_CASE("options: every entry changes its own field only and reads back") {
  const std::pair<const char*, const char*> values[] = {{"threads", "3"},
                                                        {"isa", "scalar"},
                                                        {"math", "native"},
                                                        {"seed", "18446744073709551615"},
                                                        {"test", "t.csv"},
                                                        {"validation", "0.25"},
                                                        {"format", "libsvm"},
                                                        {"target", "y"},
                                                        {"task", "regress"},
                                                        {"split", "ordered"},
                                                        {"group", "g"},
                                                        {"weights", "w"},
                                                        {"drop", "a,b"},
                                                        {"categorical", "c"},
                                                        {"numeric", "d"},
                                                        {"header", "no"},
                                                        {"separator", "tab"},
                                                        {"decimal", "comma"},
                                                        {"missing", "NA,?"},
                                                        {"standardize", "none"},
                                                        {"labels", "l.idx"},
                                                        {"cache", "tmp"},
                                                        {"hidden", "5,6,7"},
                                                        {"activation", "silu"},
                                                        {"norm", "rms"},
                                                        {"dropout", "0.25"},
                                                        {"quality", "good"},
                                                        {"embedding", "8"},
                                                        {"bins", "20"},
                                                        {"periodic", "16"},
                                                        {"ensemble", "4"},
                                                        {"layer", "gated"},
                                                        {"residual", "true"},
                                                        {"loss", "huber"},
                                                        {"huber-delta", "0.1"},
                                                        {"label-smoothing", "0.1"},
                                                        {"class-weights", "a=1,b=2.5"},
                                                        {"precision", "fp16"},
                                                        {"layer-precision", "2=fp32,0=bf16"},
                                                        {"loss-scale", "1024"},
                                                        {"scale-init", "65536"},
                                                        {"scale-growth", "4"},
                                                        {"scale-backoff", "0.25"},
                                                        {"scale-interval", "10"},
                                                        {"scale-min", "0.5"},
                                                        {"scale-max", "1024"},
                                                        {"scale-hysteresis", "2"},
                                                        {"scale-consecutive-hysteresis", "true"},
                                                        {"max-skip-rate", "0.25"},
                                                        {"clip-norm", "1.5"},
                                                        {"clip-value", "0.1"},
                                                        {"optimizer", "sgd"},
                                                        {"lr", "0.003"},
                                                        {"embedding-lr", "6"},
                                                        {"momentum", "0.5"},
                                                        {"nesterov", "true"},
                                                        {"beta1", "0.8"},
                                                        {"beta2", "0.99"},
                                                        {"epsilon", "1e-06"},
                                                        {"muon-momentum", "0.9"},
                                                        {"weight-decay", "0.1"},
                                                        {"moments", "bf16"},
                                                        {"master", "kahan"},
                                                        {"schedule", "linear"},
                                                        {"decay", "0.5"},
                                                        {"decays", "4"},
                                                        {"decay-patience", "3"},
                                                        {"warmup", "5"},
                                                        {"epochs", "3"},
                                                        {"steps", "9"},
                                                        {"batch", "1"},
                                                        {"accumulate", "3"},
                                                        {"early-stop", "5"},
                                                        {"time-limit", "2.5"},
                                                        {"ema", "0.99"},
                                                        {"average-epochs", "2"},
                                                        {"refit", "true"},
                                                        {"bag", "5"},
                                                        {"metric", "roc_auc"},
                                                        {"calibrate", "none"},
                                                        {"out", "m.safetensors"},
                                                        {"metrics", "m.jsonl"},
                                                        {"checkpoint-dir", "checkpoints"},
                                                        {"checkpoint-every", "50"},
                                                        {"checkpoint-minutes", "0.5"},
                                                        {"checkpoint-keep", "2"},
                                                        {"on-save-error", "stop"},
                                                        {"resume", "auto"},
                                                        {"init-from", "old.safetensors"},
                                                        {"capsule", "c.safetensors"},
                                                        {"on-nonfinite", "stop"},
                                                        {"tensorboard", "events"},
                                                        {"report", "r.html"},
                                                        {"meter-every", "7"}};
  CHECK(std::size(values) == parameters().size());
  for (const auto& entry : values) {
    const auto& name = entry.first;  // not a structured binding: Clang 14 cannot capture those
    const auto& value = entry.second;
    CAPTURE(name);
    const Options options = with({{name, value}});
    CHECK(get_option(options, name) == value);
    for (const ParameterInfo& other : parameters()) {
      if (other.name != name) CHECK(get_option(options, other.name) == other.default_value);
    }
  }
}

TEST_CASE("options: empty items of a list survive being text, wherever they stand") {
  for (const char* text : {",a", ",", "a,,b", "a,"}) CHECK(get_option(with({{"drop", text}}), "drop") == text);
}

TEST_CASE("options: ranges and strict numbers") {
  for (const auto& entry : std::initializer_list<std::pair<const char*, const char*>>{{"lr", "0"},
                                                                                      {"lr", "-1"},
                                                                                      {"lr", "nan"},
                                                                                      {"lr", "inf"},
                                                                                      {"lr", ""},
                                                                                      {"lr", "1x"},
                                                                                      {"lr", " 1"},
                                                                                      {"lr", "1,5"},
                                                                                      {"lr", "+1"},
                                                                                      {"lr", "1e39"},
                                                                                      {"lr", "1e-50"},
                                                                                      {"batch", "0"},
                                                                                      {"batch", "1.0"},
                                                                                      {"batch", "-1"},
                                                                                      {"accumulate", "0"},
                                                                                      {"epochs", "-1"},

                                                                                      {"epochs", "9999999999999999999"},
                                                                                      {"hidden", "0"},
                                                                                      {"hidden", "1e9"},
                                                                                      {"hidden", "1048577"},
                                                                                      {"hidden", "5,"},
                                                                                      {"hidden", "5,-1"},
                                                                                      {"threads", "-1"},
                                                                                      {"validation", "1"},
                                                                                      {"beta2", "1"},
                                                                                      {"beta2", "0.999999999999"},
                                                                                      {"momentum", "-0.1"},
                                                                                      {"epsilon", "0"},
                                                                                      {"clip-norm", "-1"},
                                                                                      {"scale-growth", "1"},
                                                                                      {"scale-growth", "3"},
                                                                                      {"scale-backoff", "1"},
                                                                                      {"scale-backoff", "0"},
                                                                                      {"scale-backoff", "0.3"},
                                                                                      {"scale-init", "3"},
                                                                                      {"scale-hysteresis", "0"},
                                                                                      {"max-skip-rate", "1.5"},
                                                                                      {"max-skip-rate", "-0.1"},
                                                                                      {"scale-min", "0"},
                                                                                      {"loss-scale", "0"},
                                                                                      {"loss-scale", "3"},
                                                                                      {"loss-scale", "nan"},
                                                                                      {"seed", "-1"},
                                                                                      {"nesterov", "maybe"},
                                                                                      {"precision", "half"},
                                                                                      {"task", ""}}) {
    const auto& name = entry.first;  // not a structured binding: Clang 14 cannot capture those
    const auto& value = entry.second;
    CAPTURE(name);
    CAPTURE(value);
    CHECK_FALSE(accepted(name, value));
  }
  CHECK(accepted("hidden", "1048576"));
  CHECK(with({{"hidden", "none"}}).hidden.empty());
  CHECK(with({{"hidden", ""}}).hidden.empty());
  CHECK(get_option(with({{"hidden", ""}}), "hidden") == "none");
  CHECK(with({{"precision", "auto"}}).precision == Dtype::bf16);
  CHECK(get_option(with({{"precision", "auto"}}), "precision") == "auto");
  CHECK(get_option(with({{"precision", "auto"}, {"precision", "bf16"}}), "precision") == "bf16");
  CHECK_FALSE(accepted("out", std::string("a\0b", 3)));
}

TEST_CASE("options: typos get a suggestion") {
  CHECK(refusal("epoch", "1").hint == "did you mean --epochs?");
  CHECK(refusal("lerning-rate", "1").hint == "halfstep params");
  CHECK(refusal("wieght-decay", "1").hint == "did you mean --weight-decay?");
  CHECK(refusal("optimizer", "adamv").why.find("did you mean adam") != std::string::npos);
  CHECK(accepted("weight_decay", "1"));
}

TEST_CASE("options: precision of layers") {
  for (const char* wrong : {"fp32", "1=", "=fp32", "1=fp8", "-1=fp32", "0=fp32,0=fp16", "0=fp32;1=fp16", "0=fp32 1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(accepted("layer-precision", wrong));
  }
  CHECK(accepted("layer-precision", "0=fp32,1=bf16"));
  CHECK(accepted("layer-precision", ""));
}

TEST_CASE("options: combinations") {
  auto refused = [](const Options& options) {
    try {
      validate(options);
    } catch (const Error& error) {
      return error.parts().where;
    }
    return std::string();
  };
  CHECK(refused({}) == "");
  CHECK(refused(with({{"precision", "fp32"}, {"loss-scale", "dynamic"}, {"scale-init", "64"}})) == "");
  CHECK(refused(with({{"nesterov", "true"}})) == "--nesterov");
  CHECK(refused(with({{"optimizer", "sgd"}, {"nesterov", "true"}})) == "");
  CHECK(refused(with({{"optimizer", "sgd"}, {"beta1", "0.5"}})) == "--beta1");
  CHECK(refused(with({{"optimizer", "lion"}, {"beta2", "0.99"}})) == "");
  CHECK(refused(with({{"optimizer", "lion"}, {"epsilon", "1e-6"}})) == "--epsilon");
  CHECK(refused(with({{"optimizer", "adamw"}, {"muon-momentum", "0.5"}})) == "--muon-momentum");
  CHECK(refused(with({{"optimizer", "muon"}, {"momentum", "0.5"}})) == "--momentum");
  CHECK(
      refused(with({{"optimizer", "muon"}, {"muon-momentum", "0.5"}, {"beta2", "0.95"}, {"epsilon", "1e-6"}})).empty());
  CHECK(refused(with({{"quality", "plain"}, {"embedding-lr", "6"}})) == "--embedding-lr");
  CHECK(refused(with({{"embedding-lr", "6"}})).empty());  // a table's columns are
  CHECK(refused(with({{"embedding-lr", "6"}, {"embedding", "8"}})).empty());
  CHECK(refused(with({{"optimizer", "sgd"}, {"moments", "bf16"}})) == "");
  CHECK(refused(with({{"optimizer", "sgd"}, {"momentum", "0"}, {"moments", "bf16"}})) == "--moments");
  CHECK(refused(with({{"master", "kahan"}, {"precision", "fp16"}})) == "");
  CHECK(refused(with({{"master", "stochastic"}, {"precision", "fp32"}})) == "--master");
  CHECK(refused(with({{"master", "kahan"}, {"precision", "fp32"}, {"layer-precision", "1=bf16"}})) == "");
  CHECK(refused(with({{"layer-precision", "2=fp32"}})) == "");
  CHECK(refused(with({{"norm", "layer"}, {"dropout", "0.5"}})) == "");
  CHECK(refused(with({{"hidden", "none"}, {"norm", "rms"}})) == "--norm");
  CHECK(refused(with({{"hidden", "none"}, {"residual", "true"}})) == "--residual");
  CHECK(refused(with({{"hidden", "none"}, {"layer", "gated"}})) == "--layer");
  CHECK(refused(with({{"layer", "gated"}, {"dropout", "0.1"}})) == "");
  CHECK(refused(with({{"layer", "gated"}, {"norm", "layer"}})) == "--norm");
  CHECK(refused(with({{"norm", "batch"}, {"batch", "2"}})) == "--batch");
  CHECK(refused(with({{"norm", "batch"}, {"batch", "3"}})) == "");
  CHECK(refused(with({{"hidden", "none"}, {"dropout", "0.1"}})) == "--dropout");
  CHECK(refused(with({{"layer-precision", "3=fp32"}})) == "--layer-precision");
  CHECK(refused(with({{"precision", "auto"}, {"layer-precision", "1=fp32"}})) == "--layer-precision");
  CHECK(refused(with({{"precision", "auto"}, {"loss-scale", "dynamic"}})) == "--loss-scale");
  CHECK(refused(with({{"precision", "auto"}, {"master", "kahan"}})) == "--master");
  CHECK(refused(with({{"precision", "auto"}})) == "");
  CHECK(refused(with({{"layer-precision", "1=fp16"}, {"loss-scale", "headroom"}})) == "");
  CHECK(refused(with({{"layer-precision", "1=fp16"}, {"scale-init", "64"}})) == "");
  CHECK(refused(with({{"task", "regress"}, {"loss", "cross_entropy"}})) == "--loss");
  CHECK(refused(with({{"task", "classify"}, {"loss", "mse"}})) == "--loss");
  CHECK(refused(with({{"huber-delta", "2"}})) == "--huber-delta");
  CHECK(refused(with({{"label-smoothing", "0.1"}, {"class-weights", "balanced"}})) == "");
  CHECK(refused(with({{"label-smoothing", "0.1"}, {"task", "regress"}})) == "--label-smoothing");
  CHECK(refused(with({{"class-weights", "a=2"}, {"loss", "binary_cross_entropy"}})) == "--class-weights");
  CHECK(refused(with({{"scale-init", "64"}})) == "--scale-init");
  CHECK(refused(with({{"precision", "fp16"}, {"scale-init", "64"}, {"scale-max", "32"}})) == "--scale-init");
  CHECK(refused(with({{"loss-scale", "compatible"}, {"scale-init", "64"}, {"scale-interval", "5"}})) == "");
  CHECK(refused(with({{"loss-scale", "compatible"}, {"scale-min", "2"}})) == "--scale-min");
  CHECK(refused(with({{"loss-scale", "headroom"}})) == "--loss-scale");
  CHECK(refused(with({{"loss-scale", "headroom"}, {"precision", "fp16"}, {"scale-init", "64"}})) == "");
  CHECK(refused(with({{"loss-scale", "headroom"}, {"precision", "fp16"}, {"scale-growth", "4"}})) == "--scale-growth");
  CHECK(refused(with({{"scale-hysteresis", "2"}})) == "--scale-hysteresis");
  CHECK(refused(with({{"precision", "fp16"}, {"scale-consecutive-hysteresis", "true"}})) ==
        "--scale-consecutive-hysteresis");
  CHECK(refused(with({{"task", "regress"}, {"metric", "f1"}})) == "--metric");
  CHECK(refused(with({{"task", "classify"}, {"metric", "f1"}})) == "");
  CHECK(refused(with({{"group", "g"}, {"split", "ordered"}})) == "--group");
  CHECK(refused(with({{"decay", "0.5"}})) == "--decay");
  CHECK(refused(with({{"decay", "0.5"}, {"schedule", "step"}})) == "");
  CHECK(refused(with({{"warmup", "5"}, {"schedule", "one_cycle"}})) == "--warmup");
  CHECK(refused(with({{"warmup", "5"}, {"schedule", "coslog"}})) == "--warmup");
  CHECK(refused(with({{"task", "regress"}, {"split", "stratified"}})) == "--split");
  Options direct;
  direct.lr = -1;
  CHECK(refused(direct) == "--lr");
}

TEST_CASE("options: config files") {
  const TempDir dir;
  auto read = [&](const std::string& text) {
    write_bytes(dir / "c", text);
    Options options;
    read_config(options, dir / "c");
    return options;
  };
  auto where = [&](const std::string& text) {
    try {
      read(text);
    } catch (const Error& error) {
      return error.parts().where.substr((dir / "c").size());
    }
    return std::string();
  };
  const Options options =
      read("# a run\n lr = 0.5 # fast\r\nweight_decay=0\n\ntarget = \"my # column\"\nout = a#b\nhidden =");
  CHECK(options.lr == 0.5);
  CHECK(options.weight_decay == 0);
  CHECK(options.target == "my # column");
  CHECK(options.out == "a#b");
  CHECK(options.hidden.empty());
  CHECK(where("lr = 1\nweight-decay = 0\nweight_decay = 0\n") == ", line 3");
  CHECK(where("lr = 1\n\nepoch = 3") == ", line 3");
  CHECK(where("lr\n") == ", line 1");
  CHECK(where("lr = 0\n") == ", line 1");
  Options untouched;
  CHECK_THROWS_AS(read_config(untouched, dir / "missing"), Error);
  CHECK_THROWS_AS(read_config(untouched, dir / ""), Error);
}
