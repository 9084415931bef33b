#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Builds the explorer's page for the tests of it, if it is older than what it is made of.
# Exit status 77 when there is no Emscripten.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if ! command -v em++ >/dev/null; then
  echo "SKIPPED: there is no Emscripten here (package emscripten), so the page is not built"
  exit 77
fi
exec "$root/examples/explorer/build" 1
