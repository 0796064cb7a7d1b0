#!/usr/bin/env bash
# All checks, on a machine as it comes: installs what they need, and runs them. `--full` adds the long tests,
# `--only <stage>` (more than once if you like) leaves out the rest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022

# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/machine.sh
. setup/machine.sh
# shellcheck source=setup/runtimes.sh
. setup/runtimes.sh
# shellcheck source=setup/packages.sh
. setup/packages.sh

steps_folder=logs/checks
setup_log=logs/checks/setup.log
# Shown by a run that never comes to its sum.
trap 'printf "0 passed, 1 failed\n"' EXIT
open_logs
trust_system_store
step machine check_machine
hold_lock
step runtimes ensure_runtimes
step bubblewrap ensure_bubblewrap
step faketime ensure_faketime
step packages ensure_packages dev
release_lock
trap - EXIT

export PATH="$PWD/.runtime/bin:$PWD/node_modules/.bin:$PATH"
exec node setup/checks/main.ts "$@"
