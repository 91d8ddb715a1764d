// ZIP and NPZ: any bytes; archives of our own, whole and damaged; arrays with any head and values. The first byte of
// the input says which.
#include "data/npz.hpp"

#include "data/zip.hpp"
#include "data/zip_of.hpp"
#include "fuzz/support.hpp"
#include "fuzz/table_checks.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using data::testing::npy_of;
using data::testing::zip_of;

namespace {

constexpr std::uint64_t kBudget = std::uint64_t{1} << 20;

void check_matrix(const data::Matrix& matrix) {
  const std::size_t values = matrix.bytes.empty() ? matrix.floats.size() : matrix.bytes.size();
  fuzz::require(values == matrix.rows * matrix.cols && values > 0, "a value for every place");
  fuzz::require(matrix.labels.empty() || matrix.labels.size() == matrix.rows, "a label for every row");
}

void check_raw(const data::RawData& raw) {
  if (raw.matrix()) return check_matrix(*raw.matrix());
  // Rows of an array have no lines of a file, but numbers in their place.
  fuzz::check_table(*raw.table());
}

void check_archive(std::string_view bytes) {
  const data::Source archive = fuzz::source_of(bytes);
  std::vector<data::ZipMember> members;
  fuzz::succeeds([&] { members = data::zip_members(archive); });
  for (std::size_t i = 0; i < members.size() && i < 8; ++i) {
    data::Source member;
    fuzz::succeeds([&] { member = data::zip_member(archive, members[i], kBudget); });
    fuzz::require(member.bytes.size() <= kBudget, "no more bytes than the budget");
  }
  for (const data::Parts parts : {data::Parts::both, data::Parts::test}) {
    data::DataPair pair;
    if (!fuzz::succeeds([&] { pair = data::parse_npz(archive, {}, nullptr, parts); })) continue;
    check_raw(pair.train);
    if (pair.test) check_raw(*pair.test);
  }
}

// The check sum is of the bytes: only a change of the lists may pass.
void check_damaged(std::string_view text, bool packed, std::size_t place, unsigned char change) {
  std::string bytes = zip_of({{"a.npy", std::string(text)}}, packed, !packed);
  place %= bytes.size();
  if (change == 0) bytes.resize(place);
  if (change != 0) bytes[place] = static_cast<char>(bytes[place] ^ change);
  const data::Source archive = fuzz::source_of(bytes);
  std::vector<data::ZipMember> members;
  data::Source member;
  if (!fuzz::succeeds([&] { members = data::zip_members(archive); })) return;
  fuzz::require(change != 0, "an archive that is cut off is refused");
  if (members.empty() || !fuzz::succeeds([&] { member = data::zip_member(archive, members[0], kBudget); })) return;
  fuzz::require(member.text() == text, "a damaged member is refused");
}

// "type|shape|values": arrays of any kind as features, with labels of a kind that is read.
void check_arrays(std::string_view text, bool packed) {
  const std::string type(fuzz::cut_front(text, '|')), shape(fuzz::cut_front(text, '|'));
  const std::string features = npy_of(type, shape, text, !text.empty() && text[0] == 'F');
  const std::string labels =
      npy_of("|u1", "(" + std::to_string(text.size() / 2) + ",)", text.substr(0, text.size() / 2));
  check_archive(zip_of({{"x.npy", features}, {"y.npy", labels}}, packed));
  check_archive(zip_of({{"x.npy", features}}, packed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view rest = fuzz::as_text(bytes + 4, size - 4);
  const bool packed = bytes[3] % 2 == 1;
  if (bytes[0] % 3 == 0) check_archive(fuzz::as_text(bytes + 1, size - 1));
  if (bytes[0] % 3 == 1) check_arrays(rest, packed);
  if (bytes[0] % 3 == 2) check_damaged(rest, packed, bytes[1] * 256u + bytes[2], bytes[3] / 2);
  return 0;
}
