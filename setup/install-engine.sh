#!/usr/bin/env bash
# install-engine.sh [--show]: a container engine by the system's package manager, or only the commands, as one would type them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/machine.sh
. setup/machine.sh
# It is called where somebody is there to be asked for a password.
# shellcheck disable=SC2034 # read by as_root
interactive=yes

# One command a line; what the user's own manager is told begins with `--user`.
commands() {
  if command -v apt-get >/dev/null; then
    echo 'apt-get update'
    # It starts by itself.
    echo 'apt-get install -y docker.io'
  elif command -v dnf >/dev/null; then
    echo 'dnf install -y podman'
    podman_socket
  elif command -v pacman >/dev/null; then
    echo 'pacman -S --needed --noconfirm docker'
    echo 'systemctl enable --now docker.service'
  elif command -v zypper >/dev/null; then
    echo 'zypper --non-interactive install podman'
    podman_socket
  else
    return 1
  fi
}

# Without root it is the user's own engine, which is the safer one.
podman_socket() {
  if [ "$(id -u)" = 0 ]; then
    echo 'systemctl enable --now podman.socket'
  else
    echo 'systemctl --user enable --now podman.socket'
  fi
}

may_become_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

if ! may_become_root || ! list=$(commands); then exit 1; fi
while read -r line; do
  case $line in
    'systemctl --user'*) shown=$line own=yes ;;
    *) shown=$(if [ "$(id -u)" = 0 ]; then echo "$line"; else echo "sudo $line"; fi) own='' ;;
  esac
  if [ "${1:-}" = --show ]; then
    echo "$shown"
    continue
  fi
  say "  \$ $shown"
  if [ -n "$own" ]; then $line </dev/tty; else as_root "$line" </dev/tty; fi
done <<<"$list"
