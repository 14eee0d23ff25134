#!/usr/bin/env bash
# Fails the step for the outcomes that `fail-on` names. What did not come to an outcome always fails.
#   COMMAND, FAIL_ON, INSTALLED, EXIT_CODE, OUTCOME
set -euo pipefail
# shellcheck source=scripts/action/common.sh
. "$(dirname "$0")/common.sh"

[ -n "$INSTALLED" ] || exit 2
[ "$COMMAND" != install ] || exit 0
# The step that failed has said why.
[ -n "$OUTCOME" ] && [ -n "$EXIT_CODE" ] || exit 2
echo "Tollgate: $OUTCOME (exit code $EXIT_CODE)."
[ "$OUTCOME" != pass ] || exit 0
case $EXIT_CODE in
  2) exit 2 ;;
esac
# In the trusted job GitHub's conclusion of the job that measured blocks the merge; here only failures to report are failures.
if [ "$COMMAND" = comment ]; then
  [ "$EXIT_CODE" != 6 ] || exit 6
  exit 0
fi
case ",$FAIL_ON," in
  *",$OUTCOME,"*) ;;
  *) exit 0 ;;
esac
say error "$OUTCOME: the report of this job says what, by how much, and what to do"
exit "$EXIT_CODE"
