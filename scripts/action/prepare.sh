#!/usr/bin/env bash
# Finds the commit to compare with, and fetches what a shallow checkout lacks of it.
#   COMMAND, BASE, CACHE, DIRECTORY                                the action's inputs
#   TOKEN                                                          for fetching, where checkout kept no credentials
#   PULL_REQUEST_BASE, PULL_REQUEST_HEAD, MERGE_GROUP_BASE, PUSHED_BEFORE, DEFAULT_BRANCH    from the event
# Outputs: base, cache-path, cache-key.
set -euo pipefail
# shellcheck source=scripts/action/common.sh
. "$(dirname "$0")/common.sh"

one_of command "$COMMAND" check compare judge load comment install
one_of cache "$CACHE" true false
[ "$COMMAND" = check ] || {
  [ -z "$BASE" ] || fail "input \`base\` is for \`command: check\`"
  exit 0
}
cd "$(unix "$DIRECTORY")" 2>/dev/null || fail "input \`working-directory\`: there is no folder \`$DIRECTORY\`"
git rev-parse --git-dir >/dev/null 2>&1 || fail "there is no repository in \`$DIRECTORY\`: run actions/checkout before this action"

# quiet_fetch ARGUMENTS…: without tags, submodules and prompts.
quiet_fetch() {
  GIT_TERMINAL_PROMPT=0 git fetch --quiet --no-tags --no-recurse-submodules "$@" 2>/dev/null
}

# fetch ARGUMENTS…: as the checkout is set up, and if that is refused, with the token, which never is an argument of a process.
fetch() {
  quiet_fetch "$@" && return 0
  [ -n "$TOKEN" ] || return 1
  local basic
  basic=$(printf 'x-access-token:%s' "$TOKEN" | base64 | tr -d '\r\n')
  # Standard output is what the caller takes for a commit.
  echo "::add-mask::$basic" >&2
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.${GITHUB_SERVER_URL:-https://github.com}/.extraheader" \
    GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $basic" quiet_fetch "$@"
}

# commit NAME: the commit that it is here; fails where it is not.
commit() {
  git rev-parse --quiet --verify --end-of-options "$1^{commit}" 2>/dev/null
}

is_shallow() {
  [ "$(git rev-parse --is-shallow-repository)" = true ]
}

# obtain NAME: brings a commit, branch or tag here and prints its commit. Branches of the remote come before those of the clone.
obtain() {
  case $1 in
    -*) return 1 ;;
  esac
  local refspec depth
  commit "refs/remotes/origin/$1" || commit "$1" && return 0
  depth=--depth=1
  is_shallow || depth=--no-auto-gc
  for refspec in "$1" "refs/heads/$1" "refs/tags/$1"; do
    case $refspec in *:* | +*) continue ;; esac
    if fetch "$depth" origin "$refspec"; then
      commit FETCH_HEAD && return 0
    fi
  done
  return 1
}

# meeting COMMIT: where HEAD and it part; a shallow history is deepened until that is known, within bounds.
meeting() {
  local step
  for step in 0 50 200 1000 5000; do
    [ "$step" = 0 ] || fetch "--deepen=$step" origin "$1" "$(git rev-parse HEAD)" || true
    git merge-base HEAD "$1" 2>/dev/null && return 0
    is_shallow || return 1
  done
  return 1
}

# parent: the first parent of HEAD.
parent() {
  commit HEAD~1 && return 0
  is_shallow || return 1
  fetch --deepen=1 origin "$(git rev-parse HEAD)" || true
  commit HEAD~1
}

unfound() {
  fail "the base of this comparison ($1) is not in this clone and could not be fetched: add \`fetch-depth: 0\` under \`with:\` of actions/checkout"
}

# A pull request is checked out as its merge with the base: then the first parent is what the merge would change.
of_pull_request() {
  local first
  if [ "$(git rev-parse HEAD)" != "$PULL_REQUEST_HEAD" ] && first=$(parent) && [ "$(commit HEAD^2 || true)" = "$PULL_REQUEST_HEAD" ]; then
    printf '%s' "$first"
    return 0
  fi
  obtain "$PULL_REQUEST_BASE" >/dev/null && meeting "$PULL_REQUEST_BASE"
}

# The commit before a push; a new branch has none, and a forced push may have left it behind.
of_push() {
  case $PUSHED_BEFORE in
    '' | *[!0]*) ;;
    *) of_branch && return 0 ;;
  esac
  if [ -n "$PUSHED_BEFORE" ] && obtain "$PUSHED_BEFORE" >/dev/null && meeting "$PUSHED_BEFORE"; then
    return 0
  fi
  parent
}

# Where this branch left the default branch; on the default branch itself, the commit before.
of_branch() {
  local tip met
  [ -n "$DEFAULT_BRANCH" ] && tip=$(obtain "$DEFAULT_BRANCH") && met=$(meeting "$tip") || return 1
  if [ "$met" = "$(git rev-parse HEAD)" ]; then parent; else printf '%s' "$met"; fi
}

if [ -n "$BASE" ]; then
  base=$(obtain "$BASE") || fail "input \`base\` is \`$BASE\`: there is no such revision here or at \`origin\` (where it is an older commit, add \`fetch-depth: 0\` under \`with:\` of actions/checkout)"
elif [ -n "$MERGE_GROUP_BASE" ]; then
  base=$(obtain "$MERGE_GROUP_BASE") || unfound "of the merge group"
elif [ -n "$PULL_REQUEST_BASE" ]; then
  base=$(of_pull_request) || unfound "of the pull request"
elif [ -n "$PUSHED_BEFORE" ]; then
  base=$(of_push) || unfound "the commit before this push"
else
  base=$(of_branch) || base=$(parent) || unfound "the default branch"
fi
output base "$base"
echo "The base is $base."

# target_folder: cargo's, where Tollgate keeps built executables.
target_folder() {
  local found
  # Windows writes its separators as two backslashes in JSON.
  found=$(cargo metadata --format-version 1 --no-deps --offline 2>/dev/null |
    sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p' | sed 's#\\\\#/#g') || true
  printf '%s' "${found:-${CARGO_TARGET_DIR:-$PWD/target}}"
}

if [ "$CACHE" = true ]; then
  # What the executables depend on beside the files is in the names of the cached sets; a key need only change when new ones
  # are worth keeping.
  toolchain=$(rustc -vV 2>/dev/null | git hash-object --stdin)
  lock=$(git ls-tree -r HEAD | grep 'Cargo\.lock$' | git hash-object --stdin || true)
  output cache-path "$(native "$(target_folder)/tollgate/exe")"
  output cache-key "tollgate-${RUNNER_OS:-unknown}-${RUNNER_ARCH:-unknown}-$base-$toolchain-$lock"
fi
