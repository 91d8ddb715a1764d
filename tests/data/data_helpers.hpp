// Temporary files, gzip by hand, and the folder of real data sets.
#pragma once
#include <doctest/doctest.h>
#include <unistd.h>
#if HS_HAVE_ZLIB
#include <zlib.h>
#endif

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "data/csv.hpp"
#include "data/preprocess.hpp"
#include "data/source.hpp"

namespace halfstep::internal::data::testing {

// A folder of its own that goes away with the object.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "halfstep-data-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string path(std::string_view name = {}) const { return (path_ / name).string(); }
  std::string write(std::string_view name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

inline Source source_of(std::string_view text) { return {"test.csv", {text.begin(), text.end()}}; }
inline Table table_of(std::string_view text, const Options& options = {}) {
  return parse_csv(source_of(text), options);
}
inline RawData raw_of(std::string_view text, const Options& options = {}) {
  return {"test.csv", table_of(text, options)};
}

// What `action` throws: status and the whole message; Status::ok when it throws nothing.
struct Thrown {
  Status status = Status::ok;
  std::string message;
  bool says(std::string_view text) const { return message.find(text) != std::string::npos; }
};
inline Thrown thrown_by(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.status(), error.what()};
  }
  return {};
}

#if HS_HAVE_ZLIB
inline std::string gzip(std::string_view text) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
#endif

// An IDX file of bytes.
inline std::string idx(std::string_view sizes_and_type, std::string_view values) {
  return std::string("\0\0", 2) + std::string(sizes_and_type) + std::string(values);
}

// Path of a real data set, or empty after saying that the test is skipped.
inline std::string real_data(const std::string& name) {
  const char* folder = std::getenv("HALFSTEP_TEST_DATA");
  const auto path = std::filesystem::path(folder ? folder : std::string(HS_SOURCE_DIR) + "/../shared/data") / name;
  if (std::filesystem::exists(path)) return path.string();
  MESSAGE("skipped: " << path.string() << " is not there");
  return {};
}

// Of a recipe as JSON: no beginning of it is one.
inline void refuses_each_beginning(const std::string& recipe) {
  for (std::size_t length = 0; length < recipe.size(); ++length) {
    CHECK(thrown_by([&] { Preprocessor::from_json(recipe.substr(0, length)); }).status == Status::format);
  }
}

// What becomes of it with one text in place of another.
inline Status status_of_changed(std::string recipe, std::string_view from, std::string_view to) {
  const std::size_t at = recipe.find(from);
  REQUIRE(at != std::string::npos);
  recipe.replace(at, from.size(), to);
  return thrown_by([&] { Preprocessor::from_json(recipe); }).status;
}

}  // namespace halfstep::internal::data::testing
