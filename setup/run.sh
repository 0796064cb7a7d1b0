#!/usr/bin/env bash
# Runs a command with this checkout's own runtimes and tools first on the PATH.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export PATH="$root/.runtime/bin:$root/node_modules/.bin:$PATH"
exec "$@"
