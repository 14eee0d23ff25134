#!/usr/bin/env bash
# Runs the command, and keeps its verdict, reports, summary and annotations. The step itself succeeds whatever the outcome,
# so that reports are uploaded; `decide.sh` fails the job.
#   TOLLGATE, COMMAND, BASE, BUDGET, MARGIN, CONFIG, ARGS, DIRECTORY, NAME, COMMENT, CHECK, SUMMARY, ANNOTATIONS, FAIL_ON
# Outputs: outcome, exit-code, verdict, html, regressions, artifact, report.
set -euo pipefail
# shellcheck source=scripts/action/common.sh
. "$(dirname "$0")/common.sh"

one_of comment "$COMMENT" always on-change never
one_of check "$CHECK" true false
one_of summary "$SUMMARY" true false
one_of annotations "$ANNOTATIONS" true false
# shellcheck disable=SC2153 # an input, not a slip
case $NAME in
  '' | *[!A-Za-z0-9._-]* | .* | -*) fail "input \`name\` is \`$NAME\`: letters, digits, \`.\`, \`_\` and \`-\` only, for it names files" ;;
esac
case $FAIL_ON in
  never) ;;
  *)
    for outcome in $(printf '%s' "$FAIL_ON" | tr ',' ' '); do
      one_of fail-on "$outcome" regressed inconclusive incomplete error
    done
    ;;
esac
case $COMMAND in comment | install) exit 0 ;; esac

# flag NAME VALUE COMMAND…: adds `--NAME=VALUE` where the command takes it, and refuses what it would not heed.
flags=()
flag() {
  local name=$1 value=$2 word
  shift 2
  [ -n "$value" ] || return 0
  for word in "$@"; do
    [ "$COMMAND" = "$word" ] && flags+=("--$name=$value") && return 0
  done
  fail "input \`$name\` is not for \`command: $COMMAND\`"
}
flag base "$BASE" check
flag budget "$BUDGET" check
flag margin "$MARGIN" check compare judge
flag config "$CONFIG" check compare judge load
if [ -n "${ARGS//[[:space:]]/}" ]; then
  # xargs knows blanks and quotes and expands nothing.
  words=$(printf '%s\n' "$ARGS" | xargs printf '%s\n') || fail "input \`args\` has a quote without its end"
  while IFS= read -r word; do flags+=("$word"); done <<<"$words"
fi

folder=$(unix "$RUNNER_TEMP")/tollgate-results/$NAME
rm -rf "$folder"
mkdir -p "$folder"
results=$(native "$folder")
verdict=$results/$NAME.json

cd "$(unix "$DIRECTORY")" 2>/dev/null || fail "input \`working-directory\`: there is no folder \`$DIRECTORY\`"

# pacified COMMAND…: what benchmarks print must not be obeyed as commands of the workflow, and code of the revisions must not
# find the files that steer later steps.
pacified() {
  local word code=0
  word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  echo "::stop-commands::$word"
  env -u GITHUB_ENV -u GITHUB_PATH -u GITHUB_OUTPUT -u GITHUB_STATE -u GITHUB_STEP_SUMMARY -u GITHUB_TOKEN -u GH_TOKEN \
    -u ACTIONS_RUNTIME_TOKEN -u ACTIONS_ID_TOKEN_REQUEST_TOKEN "$@" </dev/null || code=$?
  echo
  echo "::$word::"
  return "$code"
}

code=0
pacified "$TOLLGATE" "$COMMAND" ${flags[@]+"${flags[@]}"} --output "json=$verdict" --output "markdown=$results/$NAME.md" || code=$?

# A pass without a verdict is none: nothing was judged.
[ "$code" != 0 ] || [ -f "$verdict" ] || code=5
output exit-code "$code"
output outcome "$(outcome_of "$code")"
if [ ! -f "$verdict" ]; then
  output regressions 0
  output report false
  exit 0
fi
output verdict "$verdict"
output artifact "tollgate-verdict-$NAME"
# Rows of the verdict, which is written with one key a line; a name cannot hold an unescaped quote.
output regressions "$(grep -c '^ *"verdict": "regressed",\{0,1\}$' "$verdict" || true)"

if "$TOLLGATE" report "$verdict" --output "html=$results/$NAME.html" >/dev/null 2>"$folder/html.log"; then
  output html "$results/$NAME.html"
else
  say warning "the HTML report could not be written: $(head -c 500 "$folder/html.log")"
fi
if [ "$ANNOTATIONS" = true ]; then
  # Nine of a level at most: GitHub shows ten for the whole action.
  "$TOLLGATE" report "$verdict" --format annotations 2>"$folder/annotations.log" ||
    say warning "the annotations could not be written: $(head -c 500 "$folder/annotations.log")"
fi

# A comment writes the summary too; without one it is the report. A regression of a pull request may have been accepted there, which a
# token that can only read is enough to learn.
accepted=false
case $code/${GITHUB_EVENT_NAME:-} in 1/pull_request | 1/pull_request_target) accepted=true ;; esac
if [ "$COMMENT" != never ] || [ "$CHECK" = true ] || [ "$accepted" = true ]; then
  output report true
else
  output report false
  if [ "$SUMMARY" = true ]; then
    # Above 1 MiB GitHub drops all of it.
    if [ "$(wc -c <"$folder/$NAME.md")" -lt 1000000 ]; then
      cat "$folder/$NAME.md" >>"$GITHUB_STEP_SUMMARY"
    else
      head -c 900000 "$folder/$NAME.md" | sed '$d' >>"$GITHUB_STEP_SUMMARY"
      printf '\n\nThe rest did not fit: see the HTML report.\n' >>"$GITHUB_STEP_SUMMARY"
    fi
  fi
fi
