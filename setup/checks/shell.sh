#!/usr/bin/env bash
# Every shell script of the project parses, and pleases shellcheck where that is installed.
set -euo pipefail
scripts=(nanoclaw.sh .ci/run setup/*.sh setup/checks/*.sh)
for script in "${scripts[@]}"; do bash -n "$script"; done
sh -n bin/ncl
if command -v shellcheck >/dev/null; then
  shellcheck -x -S warning "${scripts[@]}" bin/ncl
else
  echo 'shellcheck is not installed: only the syntax was checked'
fi
