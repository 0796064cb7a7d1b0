#!/usr/bin/env bash
# Every shell script of the project parses, and pleases shellcheck where that is installed.
set -euo pipefail
scripts=(nanoclaw.sh .ci/run setup/*.sh setup/checks/*.sh setup/testing/*.sh setup/service/testing/*.sh container/build.sh)
for script in "${scripts[@]}"; do bash -n "$script"; done
posix=(bin/ncl container/agent-browser.sh setup/service/*.sh)
for script in "${posix[@]}"; do sh -n "$script"; done
if command -v shellcheck >/dev/null; then
  shellcheck -x -S warning "${scripts[@]}" "${posix[@]}"
else
  echo 'shellcheck is not installed: only the syntax was checked'
fi
