# Reads a public header and writes it as Doxygen wants it: plain comments become documentation, without a mark of Doxygen's
# in the headers themselves.
#   * The first comment of a file describes the file. One in front of a declaration, or behind it on its line, describes
#     the declaration. One that an empty line follows, and headings (---- so ----), describe nothing.
#   * Indented lines are code or tables, `names` are set as code, all other signs are meant as they are.
#   * Copies, moves, destructors and tables of enumerators' names say nothing of their own and are left out.

function escaped(text) {
  gsub(/[\\@&$#<>%"]/, "\\\\&", text)
  gsub(/::/, "\\::", text)
  gsub(/`[^`]*`/, "<tt>&</tt>", text)
  gsub(/`/, "", text)
  return text
}

# The comment that was gathered, in front of what comes next.
function flush_comment(    i, as_is) {
  for (i = 1; i <= count; ++i) {
    if (held[i] ~ /^  / && !as_is) { print "/// <pre>"; as_is = 1 }
    if (as_is && held[i] !~ /^  /) { print "/// </pre>"; as_is = 0 }
    print "/// " escaped(held[i])
  }
  if (as_is) print "/// </pre>"
  count = 0
}

function hold(text) {
  if (text ~ /^----.*----$/) return
  held[++count] = text
}

# A whole line that is comment.
function comment_line(text) {
  sub(/^ /, "", text)
  sub(/ +$/, "", text)
  hold(text)
}

BEGIN { first = 1 }

in_block {
  line = $0
  sub(/^ \*( |$)/, " ", line) || sub(/^ +/, " ", line)
  if (line ~ /\*\/$/ || line ~ /^ *\/$/) {
    in_block = 0
    sub(/ *\*?\/$/, "", line)
    if (line !~ /[^ ]/) next
  }
  comment_line(line)
  next
}
/^ *\/\// {
  line = $0
  sub(/^ *\/\//, "", line)
  comment_line(line)
  next
}
/^ *\/\*/ {
  line = $0
  sub(/^ *\/\*/, "", line)
  if (line ~ /\*\/$/) sub(/ *\*\/$/, "", line); else in_block = 1
  if (line ~ /[^ ]/) comment_line(line)
  next
}

# Here a line is code, or empty.
first {
  first = 0
  print "/// \\file"
  flush_comment()
  print ""
}
/^$/ { count = 0; print; next }
/^template <>$/ { skipping = 1 }
/^ *~[A-Za-z]+\(\)/ || /^ *[A-Z][A-Za-z]*\((const )?[A-Z][A-Za-z]*&&?\)/ || / operator=\(/ || / = default;$/ { skipping = 1 }
skipping {
  count = 0
  if (/;/) skipping = 0
  next
}
{
  flush_comment()
  line = $0
  if (match(line, / +\/\/ .*$/) || match(line, / +\/\* .*\*\/$/)) {
    behind = substr(line, RSTART)
    sub(/^ +\/[\/*] /, "", behind)
    sub(/ *\*\/$/, "", behind)
    line = substr(line, 1, RSTART - 1) "  ///< " escaped(behind)
  }
  print line
}
