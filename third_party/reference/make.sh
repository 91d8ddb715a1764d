#!/bin/sh
# make.sh DOXYGEN HEADERS OUT: the reference of the public headers as HTML in OUT/html. Fails on any warning, such as a
# function or type without a comment, and where a header has no page. Fields of structs alone may do without: the names of
# most say it all.
set -eu
doxygen=$1 headers=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$out/html"
mkdir -p "$out"
{
  cat "$here/Doxyfile"
  printf '%s\n' "INPUT = \"$headers\" \"$here/pages.dox\"" "OUTPUT_DIRECTORY = \"$out\"" "WARN_LOGFILE = \"$out/warnings\"" \
    "INPUT_FILTER = \"awk -f $here/comments.awk\"" "FILTER_PATTERNS = *.dox=cat"
} | "$doxygen" -
if grep -Ev 'Member [^ ]+ \(variable\) of (struct|class) [^ ]+ is not documented' "$out/warnings"; then
  echo "the lines above are what Doxygen has to say of $headers"
  exit 1
fi
for header in "$headers"/*.h*; do
  name=$(basename "$header")
  page=$(echo "${name%.*}" | sed 's/_/__/g')_8${name##*.}.html
  [ -s "$out/html/$page" ] || { echo "$name has no page $page"; exit 1; }
done
