#!/usr/bin/env bash
# install-packages.sh <selection>: see packages.sh. For a step that isn't run by bash.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022
# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/runtimes.sh
. setup/runtimes.sh
# shellcheck source=setup/packages.sh
. setup/packages.sh
trust_system_store
hold_lock
ensure_packages "$1" 1>&2
