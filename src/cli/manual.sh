#!/bin/sh
# manual.sh man|completion PROGRAM...: the manual page or the completion for bash, made of what the program says of
# itself. PROGRAM may be several words: an emulator and the program.
set -eu
kind=$1
shift
# Lines of a table have their explanation from column 33 on, see help.cpp.
commands=$("$@" help | awk '/^usage:/ { on = 1; next } on && !NF { exit } on && $1 == "halfstep" { print $2 }')
[ -n "$commands" ] || { echo "manual.sh: no commands in: $* help" >&2; exit 1; }

as_roff() {
  awk '
    function roff(text) {
      gsub(/\\/, "\\(rs", text)
      gsub(/-/, "\\-", text)
      return text ~ /^[.\047]/ ? "\\&" text : text
    }
    { sub(/ +$/, "") }
    /^exit codes:/ { print ".SH EXIT STATUS"; sub(/^exit codes: /, "") }
    !NF { print ".PP"; next }
    /^                                [^ ]/ { print roff(substr($0, 33)); next }
    /^  [^ ]/ {
      left = substr($0, 3)
      right = ""
      if (substr($0, 31, 2) == "  ") { left = substr($0, 3, 28); right = substr($0, 33) }
      sub(/ +$/, "", left)
      print ".TP\n\\fB" roff(left) "\\fR"
      if (right != "") print roff(right)
      next
    }
    /^usage: / { print "\\fB" roff(substr($0, 8)) "\\fR"; next }
    /^[A-Z].*:$/ { sub(/:$/, ""); print ".SS " roff($0); next }
    { print roff($0) }'
}

man_page() {
  printf '.TH HALFSTEP 1 "" "%s"\n.SH NAME\n' "$("$@" --version)"
  "$@" help | head -1 | sed 's/ / \\- /; s/\.$//'
  printf '.SH SYNOPSIS\n.B halfstep\n.I COMMAND\n[flags]\n.SH COMMANDS\n'
  "$@" help | sed '1,/^usage:/d' | as_roff
  for command in $commands; do
    printf '.SH halfstep %s\n' "$command"
    "$@" help "$command" | sed "1s/^halfstep $command: //" | as_roff
  done
}

completion() {
  cat <<'EOF'
_halfstep() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words= flags=
  case $before in
EOF
  "$@" params --json | sed 's/},{/\n/g' |
    sed -n 's/.*"name":"\([^"]*\)","type":"\([^"]*|[^"]*\)".*/    --\1) words="\2" ;;/p' | tr '|' ' '
  cat <<'EOF'
    *)
      case ${COMP_CWORD}:${COMP_WORDS[1]} in
EOF
  names=$(echo $commands)
  printf '        1:*) words="%s help" flags="--help --version" ;;\n        *:help) words="%s" ;;\n' "$names" "$names"
  for command in $commands; do
    help=$("$@" help "$command")
    flags=$(echo "$help" | sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p')
    kinds=$(echo "$help" | sed -n '/^usage:/s/.*[ []\([a-z]*|[a-z|]*\).*/\1/p' | tr '|' ' ')
    printf '        *:%s) words="%s" flags="%s" ;;\n' "$command" "$kinds" "$(echo $flags)"
  done
  cat <<'EOF'
      esac
      [[ $word != -* ]] || words=$flags ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _halfstep halfstep
EOF
}

case $kind in
  man) man_page "$@" ;;
  completion) completion "$@" ;;
  *) echo "usage: $0 man|completion PROGRAM..." >&2; exit 2 ;;
esac
