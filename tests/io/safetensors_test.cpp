#include "io/safetensors.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include <sys/stat.h>

#include "halfstep/error.hpp"
#include "io/temp_dir.hpp"

namespace io = halfstep::internal::io;
using halfstep::Error;
using halfstep::Status;
using halfstep::test::read_bytes;
using halfstep::test::TempDir;
using halfstep::test::write_bytes;

namespace {

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string text(8, '\0');
  for (unsigned i = 0; i < 8; ++i) text[i] = static_cast<char>(length >> (8 * i));
  return text + rest;
}

std::string container(const std::string& header, std::size_t data) {
  return with_length(header.size(), header) + std::string(data, '\x11');
}

// Empty when the bytes were accepted.
std::string why_rejected(const TempDir& dir, const std::string& bytes) {
  write_bytes(dir / "m", bytes);
  try {
    io::read_safetensors(dir / "m");
  } catch (const Error& error) {
    CHECK((error.status() == Status::format || error.status() == Status::limit));
    CHECK(error.parts().where == (dir / "m"));
    return error.parts().why;
  }
  return "";
}

std::string tensor(const std::string& shape, const std::string& offsets, const std::string& dtype = "F32") {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

void write_small(const std::string& path) {
  static const float weights[] = {1.0f, -2.0f, 0.5f};
  static const std::uint16_t half[] = {0x3f80, 0x4000};
  static const std::int64_t step[] = {7};
  io::File file;
  file.metadata = {{"halfstep.format", "1"}, {"halfstep.config", R"({"lr":0.1,"note":"\"halfstep.digest\":\"x\""})"}};
  file.tensors = {{"half", "BF16", {2}, std::as_bytes(std::span(half))},
                  {"layers.0.weight", "F32", {1, 3}, std::as_bytes(std::span(weights))},
                  {"step", "I64", {}, std::as_bytes(std::span(step))},
                  {"empty", "F32", {0, 4}, {}}};
  io::write_safetensors(path, file);
}

}  // namespace

TEST_CASE("safetensors: what is written reads back") {
  const TempDir dir;
  write_small(dir / "m");
  const io::File file = io::read_safetensors(dir / "m");
  CHECK(file.has_digest());
  REQUIRE(file.tensors.size() == 4);
  CHECK(file.tensors[0].name == "step");
  CHECK(file.tensors[3].name == "half");
  CHECK(*file.find_metadata("halfstep.config") == R"({"lr":0.1,"note":"\"halfstep.digest\":\"x\""})");
  const io::Tensor* weight = file.find("layers.0.weight");
  REQUIRE(weight != nullptr);
  CHECK(weight->shape == std::vector<std::int64_t>{1, 3});
  float values[3];
  std::memcpy(values, weight->bytes.data(), sizeof values);
  CHECK(values[1] == -2.0f);
  CHECK(file.find("none") == nullptr);
  const std::string bytes = read_bytes(dir / "m");
  CHECK((8 + static_cast<unsigned char>(bytes[0]) + 256u * static_cast<unsigned char>(bytes[1])) % 64 == 0);
}

TEST_CASE("safetensors: the reference test vector, without a digest") {
  const TempDir dir;
  const std::string header = R"({"w":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}})" + std::string(63, ' ');
  write_bytes(dir / "m", with_length(120, header + std::string("\x80\x3f\x00\x40", 4)));
  const io::File file = io::read_safetensors(dir / "m");
  CHECK_FALSE(file.has_digest());
  REQUIRE(file.find("w") != nullptr);
  CHECK(file.find("w")->bytes.size() == 4);
}

TEST_CASE("safetensors: every truncation and every added byte is rejected") {
  const TempDir dir;
  write_small(dir / "m");
  const std::string good = read_bytes(dir / "m");
  for (std::size_t size = 0; size < good.size(); ++size) CHECK(why_rejected(dir, good.substr(0, size)) != "");
  CHECK(why_rejected(dir, good + '\0') != "");
  CHECK(why_rejected(dir, good) == "");
}

TEST_CASE("safetensors: every flipped bit is rejected or costs the digest") {
  const TempDir dir;
  write_small(dir / "m");
  std::string bytes = read_bytes(dir / "m");
  const std::size_t key = bytes.find("\"halfstep.digest\":");
  REQUIRE(key != std::string::npos);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const char old = bytes[bit / 8];
    bytes[bit / 8] = static_cast<char>(old ^ (1 << bit % 8));
    CAPTURE(bit);
    if (why_rejected(dir, bytes) == "") {
      const bool in_key = bit / 8 > key && bit / 8 <= key + 15;
      CHECK(in_key);
      CHECK_FALSE(io::read_safetensors(dir / "m").has_digest());
    }
    bytes[bit / 8] = old;
  }
}

TEST_CASE("safetensors: short files and lying lengths") {
  const TempDir dir;
  for (const std::size_t size : {0, 7, 8, 9}) CHECK(why_rejected(dir, std::string(size, '\0')) != "");
  for (const std::uint64_t length : {std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{0}}) {
    CHECK(why_rejected(dir, with_length(length, "{}")) != "");
  }
  CHECK(why_rejected(dir, with_length(2, "{}")) == "");
  CHECK(why_rejected(dir, container("{}" + std::string(std::size_t{16} << 20, ' '), 0)) != "");
}

TEST_CASE("safetensors: malformed headers") {
  const TempDir dir;
  const std::string good = tensor("[2]", "[0,8]");
  for (const std::string& header : {std::string("[]"),
                                    std::string(" {}"),
                                    std::string("\xEF\xBB\xBF{}"),
                                    std::string("{\0}", 3),
                                    std::string("{\"\xff\":1}"),
                                    std::string("{}\0", 3),
                                    "{\"a\":" + std::string(10000, '['),
                                    R"({"a":)" + good + R"(,"a":)" + good + "}",
                                    std::string(R"({"a":{"dtype":"F32","dtype":"F32"}})"),
                                    std::string(R"({"a":3})"),
                                    std::string(R"({"a":{}})"),
                                    std::string(R"({"__metadata__":[]})"),
                                    std::string(R"({"__metadata__":{"a":1}})"),
                                    std::string(R"({"__metadata__":{"a":{}}})"),
                                    std::string(R"({"__metadata__":{"halfstep.digest":"short"}})"),
                                    R"({"":)" + good + "}",
                                    R"({"\u0007":)" + good + "}",
                                    R"({"\u0085":)" + good + "}",
                                    R"({")" + std::string(257, 'n') + R"(":)" + good + "}",
                                    std::string(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})"),
                                    std::string(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})"),
                                    R"({"a":)" + tensor("[2]", "[0,8]", "F33") + "}"}) {
    CAPTURE(header);
    CHECK(why_rejected(dir, container(header, 8)) != "");
  }
  CHECK(why_rejected(dir, container(R"({"a":)" + good + "}", 8)) == "");
}

TEST_CASE("safetensors: shapes that attack arithmetic") {
  const TempDir dir;
  for (const char* shape :
       {"[4294967296,4294967296]", "[9223372036854775807,2]", "[9223372036854775808,2]", "[4611686018427387904,4]",
        "[-1]", "[1.0]", "[1e3]", "[-0]", "[true]", "[[1]]", "3", "null", "[1,1,1,1,1,1,1,1,2]"}) {
    CAPTURE(shape);
    for (const char* offsets : {"[0,8]", "[0,0]", "[0,4]"}) {
      CHECK(why_rejected(dir, container(R"({"a":)" + tensor(shape, offsets) + "}", 8)) != "");
    }
  }
}

TEST_CASE("safetensors: offsets must tile the data") {
  const TempDir dir;
  auto two = [&](const char* first, const char* second) {
    return why_rejected(dir,
                        container(R"({"a":)" + tensor("[1]", first) + R"(,"b":)" + tensor("[1]", second) + "}", 8));
  };
  CHECK(two("[0,4]", "[4,8]") == "");
  CHECK(two("[4,8]", "[0,4]") == "");
  CHECK(two("[0,4]", "[2,6]") == "overlap between \"a\" and \"b\"");
  CHECK(two("[0,4]", "[0,4]") == "overlap between \"a\" and \"b\"");
  CHECK(two("[0,4]", "[5,9]") == "hole between \"a\" and \"b\"");
  CHECK(two("[1,5]", "[5,9]") != "");
  CHECK(two("[4,0]", "[4,8]") != "");
  CHECK(two("[0,4]", "[4,9]") != "");
  CHECK(two("[0,4]", "[-4,0]") != "");
  CHECK(why_rejected(dir, container(R"({"a":)" + tensor("[1]", "[0,4]") + "}", 5)) != "");
  CHECK(why_rejected(dir, container(R"({"a":)" + tensor("[4]", "[0,16]") + "}", 8)) != "");
}

TEST_CASE("safetensors: too many tensors") {
  const TempDir dir;
  std::string header = "{";
  for (int i = 0; i <= 65536; ++i) {
    header += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + tensor("[0]", "[0,0]");
  }
  CHECK(why_rejected(dir, container(header + "}", 0)) == "more than 65536 tensors");
}

TEST_CASE("safetensors: what is no file") {
  const TempDir dir;
  auto status = [](const std::string& path) {
    try {
      io::read_safetensors(path);
    } catch (const Error& error) {
      return error.status();
    }
    return Status::ok;
  };
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK(status(dir / "missing") == Status::io);
  CHECK(status(dir / "") == Status::format);
  CHECK(status(dir / "pipe") == Status::format);
  CHECK(status("/dev/zero") == Status::format);
}

TEST_CASE("safetensors: a tensor that contradicts itself is not written") {
  const TempDir dir;
  for (const io::Tensor& bad : {io::Tensor{"a", "F32", {1}, {}}, io::Tensor{"", "F32", {0}, {}},
                                io::Tensor{"a", "F99", {0}, {}}, io::Tensor{"a", "F32", {-1}, {}}}) {
    io::File file;
    file.tensors = {bad};
    CHECK_THROWS_AS(io::write_safetensors(dir / "m", file), Error);
  }
  CHECK(dir.entries() == 0);
}
