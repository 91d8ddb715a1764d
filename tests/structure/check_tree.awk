# The order of the folders, the homes of TBB, xsimd and intrinsics, and the length of files.
BEGIN {
  # What each folder of src may include besides itself and include/halfstep.
  below["base"] = ""
  below["text"] = below["kernels"] = below["parallel"] = "base"
  below["io"] = below["report"] = "base text"
  below["data"] = "base text parallel"
  below["gemm"] = below["loss"] = below["amp"] = "base kernels parallel"
  below["nn"] = below["optim"] = "base kernels parallel gemm"
  below["metrics"] = "base"
  below["train"] = "base kernels parallel gemm data metrics nn loss amp optim"
  below["doctor"] = below["dist"] = below["train"] " text io train"
  below["run"] = below["doctor"] " doctor report"
  below["api"] = below["bench"] = below["run"] " run"
  below["demo"] = "base kernels parallel gemm loss amp optim"
  below["cli"] = ""
  longest = 500
}

function breach(text) {
  print FILENAME ":" FNR ": " text
  breaches++
}

function allowed(from, to,    count, names, i) {
  if (to == from || to == "halfstep") return 1
  count = split(below[from], names, " ")
  for (i = 1; i <= count; i++) if (names[i] == to) return 1
  return 0
}

FNR == 1 {
  count = split(FILENAME, part, "/")
  folder = part[1] == "src" ? part[2] : ""
  if (part[1] == "src" && !(folder in below)) breach("folder src/" folder " has no place in the order")
  # Compiled for a CPU that may not be there: an inline function of a library could become everybody's copy.
  per_isa = FILENAME ~ /^src\/kernels\/(simd|body|isa)\//
}

FNR == longest + 1 { breach("more than " longest " lines") }

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
  header = $0
  sub(/^[^<"]*[<"]/, "", header)
  sub(/[>"].*$/, "", header)
  quoted = $0 ~ /include[ \t]*"/
  top = header
  sub(/\/.*$/, "", top)

  if (header ~ /^(tbb|oneapi)\// && FILENAME !~ /^src\/parallel\// && FILENAME != "tests/parallel/host_test.cpp" &&
      FILENAME != "tests/consumers/arena_host.cpp")
    breach("TBB outside src/parallel: " header)
  if (header ~ /^xsimd\// && FILENAME !~ /^src\/kernels\/simd\//) breach("xsimd outside src/kernels/simd: " header)
  if (header ~ /(intrin|arm_neon|arm_sve|arm_fp16|arm_bf16)\.h$/ && FILENAME !~ /^src\/kernels\/(simd|isa)\// &&
      FILENAME != "src/base/fp_env.hpp")
    breach("intrinsics outside src/kernels/simd, src/kernels/isa and src/base/fp_env.hpp: " header)
  if (per_isa && !quoted && header !~ /^(cstddef|cstdint|cstring|cmath|bit|limits|type_traits|utility|xsimd\/.*|.*intrin\.h|arm_.*\.h)$/)
    breach("a per-ISA file includes <" header ">")

  if (folder != "" && quoted && !allowed(folder, top)) breach("src/" folder " may not include " header)
  if (folder == "train" && header ~ /^halfstep\/(options|jobs|files)\.hpp$/)
    breach("src/train has numbers, no parameters, jobs or files: " header)
  if (part[1] == "include" && quoted && top != "halfstep") breach("a public header includes " header)
}

END { exit breaches > 0 }
