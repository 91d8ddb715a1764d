// What callers in C hand over, checked and as the C++ classes take it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "api/c/handle.hpp"
#include "halfstep/model_spec.hpp"

namespace halfstep::internal::c_abi {

// Whether `count` elements can lie there; `name` is for the message.
void check_memory(const void* data, std::uint64_t count, std::size_t element, std::size_t alignment, const char* name);

template <class T>
std::span<const T> array(const T* data, std::uint64_t count, const char* name) {
  if (count == 0) return {};
  check_memory(data, count, sizeof(T), alignof(T), name);
  return {data, static_cast<std::size_t>(count)};
}

// Of results: null or unaligned is refused before anything is done.
template <class T>
T& place(T* out, const char* name) {
  check_memory(out, 1, sizeof(T), alignof(T), name);
  return *out;
}

template <class T>
void check_struct(const T* data, std::uint32_t least, const char* name) {
  check_memory(data, 1, sizeof(std::uint32_t), alignof(T), name);
  const std::uint32_t size = data->struct_size;
  if (size < least || size > sizeof(T) || size % 8 != 0) refuse(name, "its struct_size is not known here");
}

// With zeros where the caller's is shorter.
template <class T>
T read_struct(const T* data, std::uint32_t least, const char* name) {
  check_struct(data, least, name);
  T whole{};
  std::memcpy(static_cast<void*>(&whole), data, data->struct_size);
  return whole;
}

// No more than the caller's has.
template <class T>
void write_struct(T* data, T whole) {
  whole.struct_size = data->struct_size;
  std::memcpy(static_cast<void*>(data), &whole, whole.struct_size);
}

// Says how long a result is; true where it is to be written too.
template <class T>
bool wants(std::uint64_t count, T* buffer, std::uint64_t capacity, std::uint64_t* needed) {
  if (buffer == nullptr || needed != nullptr) place(needed, "needed");
  if (buffer != nullptr && capacity > 0) check_memory(buffer, capacity, sizeof(T), alignof(T), "buffer");
  if (needed != nullptr) *needed = count;
  if (buffer != nullptr && capacity < count) refuse("the buffer is too small", "needed says how large it must be");
  return buffer != nullptr;
}

template <class T>
void give(std::span<const T> result, T* buffer, std::uint64_t capacity, std::uint64_t* needed) {
  if (wants(result.size(), buffer, capacity, needed) && !result.empty()) {
    std::memcpy(buffer, result.data(), result.size_bytes());
  }
}

void give(const std::string& result, char* buffer, std::uint64_t capacity, std::uint64_t* needed);

// Throws where it is null.
const char* text(const char* given, const char* name);

// Dense fp32 rows: those of the caller where they are so, else a copy.
class Rows {
 public:
  explicit Rows(const hs_matrix* given);
  Rows(const Rows&) = delete;
  std::span<const float> x() const { return x_; }
  std::uint64_t rows() const { return matrix_.rows; }
  std::size_t cols() const { return static_cast<std::size_t>(matrix_.cols); }

 private:
  hs_matrix matrix_;
  std::vector<float> copy_;
  std::span<const float> x_;
};

// The same, of a matrix that must have as many columns as a model has inputs.
Rows rows_for(std::size_t inputs, const hs_matrix* given);

// How many outputs there are for them all.
std::size_t count_outputs(const Rows& rows, std::size_t outputs);

ModelSpec spec_of(const hs_model_spec* given);

// The outputs of a Trainer or Model; where only their number is asked for, nothing is calculated.
template <class M>
void predict_into(M& model, const hs_matrix* x, float* buffer, std::uint64_t capacity, std::uint64_t* needed) {
  const Rows rows = rows_for(model.spec().widths.front(), x);
  if (!wants(count_outputs(rows, model.spec().widths.back()), buffer, capacity, needed)) return;
  const std::vector<float> result = model.predict(rows.x());
  std::memcpy(buffer, result.data(), result.size() * sizeof(float));
}

}  // namespace halfstep::internal::c_abi
