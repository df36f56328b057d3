#!/usr/bin/env bash
# Install the pinned Claude Code client that tests/real drives, into a cache outside the repository.
#
# npm fetches it from wherever this user's npm is set up to. The cache is ${OUTRIDER_TEST_CACHE:-~/.cache/outrider-tests};
# the second run does nothing. The last line printed is the client's path. Exit 7: npm is not there.
set -euo pipefail

VERSION=2.1.330 # exact: the wire format moves monthly, and a bare name may pick an older release
CACHE="${OUTRIDER_TEST_CACHE:-$HOME/.cache/outrider-tests}"
PREFIX="$CACHE/claude-code-$VERSION"

client() { # the platform package's own program; node is not needed to run it
  find "$PREFIX/node_modules/@anthropic-ai" -maxdepth 2 -type f -name claude -path '*claude-code-*' 2>/dev/null | head -n 1
}

if [ -z "$(client)" ]; then
  if ! command -v npm >/dev/null; then
    echo "npm is missing, so the real client cannot be installed: apt-get install npm | dnf install npm | brew install node" >&2
    exit 7
  fi
  mkdir -p "$PREFIX"
  echo "installing Claude Code $VERSION into $PREFIX" >&2
  npm install --prefix "$PREFIX" --no-audit --no-fund --ignore-scripts --loglevel=error \
    "@anthropic-ai/claude-code@$VERSION" >&2
fi
[ -n "$(client)" ] || { echo "npm installed the package, but it brought no program for this platform" >&2; exit 7; }
client
