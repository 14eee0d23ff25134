#!/usr/bin/env bash
# Installs Tollgate: the release's binary after its checksum was verified, or built from the action's own source.
#   VERSION       auto, latest, source, installed, or a version
#   DOWNLOAD_URL  where releases are
# Output: path.
set -euo pipefail
# shellcheck source=scripts/action/common.sh
. "$(dirname "$0")/common.sh"

# target: the name of this system in the names of release files; nothing where there is no binary for it.
target() {
  local arch
  case ${RUNNER_ARCH:-$(uname -m)} in
    X64 | x86_64 | amd64) arch=x86_64 ;;
    ARM64 | aarch64 | arm64) arch=aarch64 ;;
    *) return 0 ;;
  esac
  case ${RUNNER_OS:-$(uname -s)} in
    Linux) printf '%s-unknown-linux-musl' "$arch" ;;
    macOS | Darwin) printf '%s-apple-darwin' "$arch" ;;
    Windows | MINGW* | MSYS*) [ "$arch" = x86_64 ] && printf 'x86_64-pc-windows-msvc' ;;
  esac
  return 0
}

# get URL FILE
get() {
  local protocols='=https'
  # A mirror inside a network may be without TLS; it must have been asked for by name.
  case $DOWNLOAD_URL in http://*) protocols='=http,https' ;; esac
  curl --proto "$protocols" --silent --show-error --fail --location --retry 3 --max-time 300 --output "$2" -- "$1"
}

# digest FILE: its SHA-256.
digest() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

# verify FILE: the release's SHA256SUMS must hold it.
verify() {
  local expected
  expected=$(awk -v name="$1" '$2 == name || $2 == "*" name { print $1; exit }' SHA256SUMS)
  [ -n "$expected" ] || fail "the release's SHA256SUMS does not name \`$1\`"
  [ "$(digest "$1")" = "$expected" ] || fail "\`$1\` is not what the release's SHA256SUMS says: it was damaged or replaced, and is not run"
}

# download PATH: the binary of a release into $folder; fails where there is none.
download() {
  local target file
  target=$(target)
  [ -n "$target" ] || return 1
  file="tollgate-$target.tar.gz"
  get "$DOWNLOAD_URL/$1/SHA256SUMS" SHA256SUMS || return 1
  get "$DOWNLOAD_URL/$1/$file" "$file" || return 1
  verify "$file"
  # The archive was verified, so its names are ours: one file at its root.
  tar -xzf "$file" || fail "\`$file\` cannot be unpacked"
}

build() {
  command -v cargo >/dev/null 2>&1 || fail "there is no cargo to build Tollgate with: install Rust, or set \`version\` to a release"
  echo "Building Tollgate from source."
  # In the action's own folder: settings of cargo in the workspace are not for this build.
  (cd "$(unix "$GITHUB_ACTION_PATH")" && cargo install --quiet --locked --path . --root "$folder") ||
    fail "Tollgate could not be built from source"
  mv "$folder"/bin/tollgate* "$folder/"
}

own_version() {
  awk -F '"' '/^version = /{ print $2; exit }' "$(unix "$GITHUB_ACTION_PATH")/Cargo.toml"
}

folder=$(unix "$RUNNER_TEMP")/tollgate-bin
if [ "$VERSION" = installed ]; then
  command -v tollgate >/dev/null 2>&1 || fail "\`version: installed\`, but there is no \`tollgate\` on the PATH"
  output path "$(native "$(command -v tollgate)")"
  exit 0
fi
mkdir -p "$folder"
cd "$folder"
case $VERSION in
  source) build ;;
  latest) download latest/download || fail "the latest release could not be downloaded for this system: try \`version: source\`" ;;
  auto)
    download "download/v$(own_version)" || {
      echo "There is no release of this version for this system."
      build
    }
    ;;
  *)
    number=${VERSION#v}
    case $number in
      [0-9]*) ;;
      *) fail "input \`version\` is \`$VERSION\`: it may be auto, latest, source, installed, or a version such as 0.1.0" ;;
    esac
    case $number in
      *[!0-9A-Za-z.+-]*) fail "input \`version\` is \`$VERSION\`: that is no version" ;;
    esac
    download "download/v$number" || fail "release $number could not be downloaded for this system: see $DOWNLOAD_URL, or set \`version: source\`"
    ;;
esac

binary=$folder/tollgate
[ -f "$binary" ] || binary=$folder/tollgate.exe
[ -x "$binary" ] || fail "the release holds no program \`tollgate\`"
"$binary" --version
output path "$(native "$binary")"
native "$folder" >>"$GITHUB_PATH"
echo >>"$GITHUB_PATH"
