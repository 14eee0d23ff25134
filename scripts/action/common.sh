# shellcheck shell=bash
# What the steps of the action share. They run under bash 3.2 (macOS), bash 5 (Linux) and Git's bash (Windows).

# fail MESSAGE: an annotation, and the end of the step with the code for errors of usage.
fail() {
  printf '::error title=Tollgate::%s\n' "$(escape "$1")"
  exit 2
}

# notice LEVEL MESSAGE
say() {
  printf '::%s title=Tollgate::%s\n' "$1" "$(escape "$2")"
}

# escape TEXT: as the data of a workflow command. Foreign text can neither end it nor begin another.
escape() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '%s' "$text"
}

# output NAME VALUE: one line for later steps; a value of several lines is refused, for it would be several outputs.
output() {
  case $2 in
    *$'\n'* | *$'\r'*) fail "the value of \`$1\` has several lines" ;;
  esac
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# one_of NAME VALUE WORD…: refuses an input that is none of the words.
one_of() {
  local name=$1 value=$2 word
  shift 2
  for word in "$@"; do
    [ "$value" = "$word" ] && return 0
  done
  fail "input \`$name\` is \`$value\`: it may be $*"
}

# unix PATH: as this shell wants it; native PATH: as other programs of the runner want it.
unix() { if command -v cygpath >/dev/null 2>&1; then cygpath -u "$1"; else printf '%s' "$1"; fi; }
native() { if command -v cygpath >/dev/null 2>&1; then cygpath -m "$1"; else printf '%s' "$1"; fi; }

# outcome_of CODE: the contract's word for an exit code.
outcome_of() {
  case $1 in
    0) printf pass ;;
    1) printf regressed ;;
    3) printf inconclusive ;;
    4) printf incomplete ;;
    *) printf error ;;
  esac
}
