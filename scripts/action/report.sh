#!/usr/bin/env bash
# Writes the comment, the check run and the job summary from a verdict: the only step with a token that runs Tollgate.
#   TOLLGATE, COMMAND, VERDICT, EXIT_CODE, HTML_URL, FROM_ARTIFACT, EXPECT_SHARDS, CONFIG, NAME, COMMENT, CHECK, SUMMARY, GITHUB_TOKEN
# Outputs: outcome, exit-code.
set -euo pipefail
# shellcheck source=scripts/action/common.sh
. "$(dirname "$0")/common.sh"

flags=(comment --name "$NAME" --comment "$COMMENT")
if [ "$CHECK" = true ]; then flags+=(--check); else flags+=(--no-check); fi
if [ "$SUMMARY" = true ]; then flags+=(--summary); else flags+=(--no-summary); fi
[ -z "$HTML_URL" ] || flags+=("--html-url=$HTML_URL")
[ -z "$CONFIG" ] || flags+=("--config=$CONFIG")
[ -z "$EXPECT_SHARDS" ] || flags+=("--expect-shards=$EXPECT_SHARDS")
if [ "$COMMAND" = comment ]; then
  [ -n "$FROM_ARTIFACT" ] || fail "\`command: comment\` needs \`from-artifact\`, the folder of downloaded verdicts"
  # No artifact at all leaves no folder; that is a verdict too: incomplete.
  mkdir -p "$(unix "$FROM_ARTIFACT")"
  flags+=("--from-artifact=$FROM_ARTIFACT" "--event=$GITHUB_EVENT_PATH")
else
  flags+=(-- "$VERDICT")
fi

code=0
"$TOLLGATE" "${flags[@]}" </dev/null || code=$?
# What was accepted on the pull request lifts a regression, and nothing else.
if [ "$code" = 0 ]; then
  case ${EXIT_CODE:-0} in
    0 | 1) ;;
    *) code=$EXIT_CODE ;;
  esac
fi
output exit-code "$code"
output outcome "$(outcome_of "$code")"
