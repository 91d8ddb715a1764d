# What the innermost loop of each tile costs on AArch64, from its machine code: how many multiply-adds and instructions,
# and how many of those touch the stack (spills). No emulator counts them more exactly, and none tells time.
#   aarch64-linux-gnu-objdump -dC --no-show-raw-insn OBJECT | awk -f tests/structure/count_tiles.awk

function number(hex,    i, n) {
  for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
  return n
}

# Of the loops that hold no other loop, the one with the most multiply-adds.
function finish(    i, j, l, inner, macs, stack, best, line) {
  for (l = 1; l <= loops; l++) {
    inner = 1
    for (j = 1; j <= loops; j++) if (j != l && from[l] <= from[j] && to[j] <= to[l]) inner = 0
    if (!inner) continue
    macs = stack = 0
    for (i = 1; i <= count; i++) {
      if (at[i] < from[l] || at[i] > to[l]) continue
      macs += of[code[i]]
      stack += text[i] ~ /\[sp/
    }
    if (macs <= best) continue
    best = macs
    inner = (to[l] - from[l]) / 4 + 1
    line = sprintf("%5d %5d %7.4f %5d  %s", macs, inner, inner / macs, stack, name)
  }
  if (best > 0) print line
  count = loops = 0
}

BEGIN {
  of["fmla"] = of["fmlal"] = of["fmlal2"] = of["bfmlalb"] = of["bfmlalt"] = 4
  of["bfdot"] = 8
  of["bfmmla"] = 16
  print "multiply-adds, instructions, instructions per multiply-add, on the stack, tile"
}

/^[0-9a-f]+ <.*>:$/ {
  finish()
  wanted = /tile</
  name = $0
  sub(/^[^<]*</, "", name)
  sub(/\(unsigned long, .*/, "", name)
  gsub(/halfstep::internal::(isa_[a-z0-9_]*::)?|^void /, "", name)
  next
}

wanted && /^ *[0-9a-f]+:/ {
  address = $1
  sub(/:/, "", address)
  count++
  at[count] = number(address)
  code[count] = $2
  text[count] = $0
  if ($2 ~ /^b\.|^cbn?z$|^tbn?z$|^b$/ && match($0, /[0-9a-f]+ </)) {
    target = number(substr($0, RSTART, RLENGTH - 2))
    if (target >= at[1] && target <= at[count]) { loops++; from[loops] = target; to[loops] = at[count] }
  }
}

END { finish() }
