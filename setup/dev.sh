#!/usr/bin/env bash
# The host in this terminal, started again whenever a file of it changes. Sandboxes take a change at their next start.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ ! -x .runtime/bin/node ] || [ ! -e data/v2.db ]; then
  echo 'There is no install here yet: run `bash nanoclaw.sh` first.' >&2
  exit 1
fi
# One host holds an install: the one in the background goes first.
bin/ncl stop
# Each file by itself, so that it is seen which has changed.
NANOCLAW_FROM_SOURCE=1 NANOCLAW_FOREGROUND=1 exec .runtime/bin/node --watch --watch-preserve-output --use-system-ca src/index.ts
