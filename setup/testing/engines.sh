#!/usr/bin/env bash
# Container engines of a test run's own: Docker and Podman with everything that is theirs in one temporary folder, and the image in
# both. On Debian and Ubuntu, as root; what is missing of their packages is installed. An engine that is here already, and
# another such run, are not touched.
#
# Says on its output `env NAME=value` for what can be used, `network <file>` for where Docker's is, `none <reason>` for what can't be
# had, and `ready`. Lives until its input
# ends, and takes all of it away again, but the packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=setup/steps.sh
. setup/steps.sh
# shellcheck source=setup/machine.sh
. setup/machine.sh
# shellcheck source=setup/runtimes.sh
. setup/runtimes.sh
# shellcheck source=setup/testing/engine-leftovers.sh
. setup/testing/engine-leftovers.sh

image=nanoclaw-agent-v2-test:latest
chromium=--no-chromium
if [ "${1:-}" = --chromium ]; then chromium=''; fi
log=logs/checks/engines-setup.log
work='' job='' watch=''

report() { printf '%s\n' "$*" >&3; }
none() {
  report "none $*"
  report ready
  exit 0
}

end() {
  trap - EXIT
  trap '' TERM INT HUP
  if [ -n "$job" ]; then kill -TERM -- "-$job" 2>/dev/null || true; fi
  if [ -n "$watch" ]; then kill -TERM -- "-$watch" 2>/dev/null || true; fi
  if [ -n "$work" ]; then remove_engines "$work"; fi
}

# Interruptible, as a command in the foreground is not.
patiently() {
  "$@" &
  job=$!
  local status=0
  wait "$job" || status=$?
  job=''
  return "$status"
}

# By what is looked for, not by package: an engine from elsewhere has the same programs, and would be removed for Debian's.
missing_packages() {
  local pair
  for pair in dockerd:docker.io podman:podman runc:runc iptables:iptables ip:iproute2 mmdebstrap:mmdebstrap; do
    if ! command -v "${pair%:*}" >/dev/null; then echo "${pair#*:}"; fi
  done
  if [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then echo debian-archive-keyring; fi
}

# Without a start of the system's own engine, which would set up its bridge and its rules; and nothing is removed for it.
install_missing() {
  local missing
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" = 0 ]; then return; fi
  echo 'APT::Get::Remove "false";' >"$work/apt.conf"
  (export RUNLEVEL=1 SYSTEMD_OFFLINE=1 APT_CONFIG=$work/apt.conf && install_packages "${missing[@]}")
}

make_base() { TMPDIR=$work mmdebstrap --quiet --mode=root --variant=minbase bookworm "$work/base.tar"; }

# start_engine <socket> <command…>: ends with this script, however that ends.
start_engine() {
  local socket=$1
  shift
  setpriv --pdeathsig TERM -- "$@" >>"$work/engine.log" 2>&1 &
  local pid=$!
  for _ in {1..300}; do
    if [ -S "$socket" ]; then return; fi
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.1
  done
  return 1
}

last_words() { tail -n 1 "$work/engine.log" 2>/dev/null || true; }

# In a network of its own, where its bridge and its rules are in nobody's way, and end with it. Whoever talks to what runs in it has
# to be there as well. There is an address beside loopback in it, for what must not be a sandbox's own.
# shellcheck disable=SC2016 # of the inner shell
prepare_network='ip link set lo up || exit
ip link add beside0 type veth peer name beside1 && ip address add 192.0.2.1/32 dev beside0 && ip link set beside0 up &&
  ip link set beside1 up
exec "$@"'
start_docker() {
  mkdir "$work/docker-config" && echo '{}' >"$work/docker.json"
  export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/docker-config
  start_engine "$work/docker.sock" unshare --net sh -c "$prepare_network" sh \
    dockerd --host "$DOCKER_HOST" --config-file "$work/docker.json" \
    --data-root "$work/docker" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
    --cgroup-parent "/$(basename "$work")" --exec-opt native.cgroupdriver=cgroupfs
}

# A command for it, with all that it has in the folder. Its locks in a file: those in memory are every other Podman's as well.
make_podman() {
  printf '[engine]\nlock_type = "file"\nevents_logger = "file"\n' >"$work/containers.conf"
  cat >"$work/podman" <<TEXT
#!/bin/sh
export CONTAINERS_CONF=$work/containers.conf
exec podman --root $work/podman-root --runroot $work/podman-run --tmpdir $work/podman-tmp --runtime $(command -v runc) \
  --cgroup-manager cgroupfs "\$@"
TEXT
  chmod 700 "$work/podman"
}

start_podman() {
  case $(podman version --format '{{.Client.Version}}') in [123].*) return 1 ;; esac
  make_podman
  # Its monitor leaves a file where it is when it hears of an end for want of memory.
  start_engine "$work/podman.sock" env --chdir "$work" "$work/podman" system service --time=0 "unix://$work/podman.sock"
}

build_image() {
  # shellcheck disable=SC2086 # no option, or one
  "$work/podman" import "$work/base.tar" docker.io/library/debian:bookworm-slim && rm "$work/base.tar" &&
    bash container/build.sh --engine "$work/podman" --network host --settings /dev/null --tag "$image" $chromium \
      --log logs/checks/engines-image.log
}

hand_over() { "$work/podman" save --format docker-archive "$image" | docker load && docker tag "localhost/$image" "$image"; }

main() {
  exec 3>&1 4<&0 </dev/null
  mkdir -p logs/checks
  exec >"$log" 2>&1
  trap end EXIT
  trap 'exit 143' TERM INT HUP
  set -m
  remove_abandoned_engines
  if [ "$(id -u)" != 0 ]; then none 'starting an engine needs root'; fi
  if ! command -v apt-get >/dev/null; then none 'their packages are known for Debian and Ubuntu alone'; fi
  work=$(mktemp -d "${TMPDIR:-/tmp}/$engines_prefix.XXXXXX")
  echo $$ >"$work/pid"
  # Whoever asked for them is gone when this input ends.
  {
    cat <&4 >/dev/null
    kill -TERM $$
  } 3>&- &
  watch=$!
  exec 4<&-
  trust_system_store
  if ! install_missing; then none 'their packages can not be installed'; fi
  if ! start_podman; then none "Podman does not start: $(last_words)"; fi
  if ! patiently make_base; then none 'a base for the image can not be made: is there a network?'; fi
  if ! patiently build_image; then none 'the image can not be built: see logs/checks/engines-image.log'; fi
  report "env NANOCLAW_TEST_IMAGE=$image"
  if [ -z "$chromium" ]; then report "env NANOCLAW_TEST_BROWSER_IMAGE=$image"; fi
  report "env NANOCLAW_TEST_PODMAN=$work/podman.sock"
  report "env CONTAINERS_CONF=$work/containers.conf"
  if start_docker && patiently hand_over; then
    report "env NANOCLAW_TEST_DOCKER=$work/docker.sock"
    report "network /proc/$(cat "$work/docker.pid")/ns/net"
  else
    report "none Docker does not start: $(last_words)"
  fi
  report ready
  # Until a signal comes.
  while :; do patiently sleep 3600; done
}

# All of it is read before any of it runs.
main
exit
