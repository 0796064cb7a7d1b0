# shellcheck shell=bash
# What the machine is, and what its package manager has to add. Steps; sourced after steps.sh.

needed_kb=900000

# Before anything is written: can this machine do it at all?
check_machine() {
  case $(uname -s) in
    Linux) ;;
    Darwin) give_up 'macOS has no sandbox that this version can use.' 'Run it on Linux: a virtual machine or a server will do.' ;;
    *) give_up "$(uname -s) isn't supported." 'Run it on Linux (on Windows: in WSL 2).' ;;
  esac
  if ! getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
    give_up 'This system is built on musl (Alpine?), for which there are no runtimes with a known hash.' \
      'Run it on a distribution with glibc: Debian, Ubuntu, Fedora, Arch, openSUSE.'
  fi
  local on free
  on=$(platform)
  free=$(df -Pk . | awk 'NR == 2 { print $4 }')
  if [ ! -x .runtime/bin/pnpm ] && [ "$free" -lt "$needed_kb" ]; then
    give_up "The disk is full: $((free / 1024)) MB are free, $((needed_kb / 1024)) MB are needed." \
      "Make room on $(df -Pk . | awk 'NR == 2 { print $6 }') and run this again."
  fi
  mkdir -p .runtime
  detail "$on, $((free / 1024)) MB free"
}

# As runtimes.tsv calls it.
platform() {
  case $(uname -m) in
    x86_64 | amd64) echo linux-x64 ;;
    aarch64 | arm64) echo linux-arm64 ;;
    *) give_up "There are no runtimes for this processor ($(uname -m))." 'Run it on x86-64 or ARM64.' ;;
  esac
}

# Where programs are that a sandbox is made of; the driver looks at the same places.
find_system_program() {
  local folder
  for folder in /usr/bin /bin /usr/sbin /sbin /usr/local/bin; do
    if [ -x "$folder/$1" ]; then
      echo "$folder/$1"
      return
    fi
  done
  return 1
}

ensure_bubblewrap() {
  if ! find_system_program bwrap >/dev/null || ! find_system_program prlimit >/dev/null; then
    if runs_in_engine; then
      detail "isn't there, and isn't needed: sandboxes run in a container engine"
      return
    fi
    # In a shell of its own, which ends when that gives up.
    (install_packages bubblewrap util-linux) || without_bubblewrap
    if ! find_system_program bwrap >/dev/null; then return; fi
  fi
  detail "$("$(find_system_program bwrap)" --version)"
}

# By what was asked for, else by what is set.
runs_in_engine() {
  local kept
  kept=$(sed -nE "s/^(export +)?NANOCLAW_RUNTIME *= *[\"']?([a-z]+).*/\2/p" .env 2>/dev/null | tail -n 1 || true)
  case ${runtime:-${kept:-${NANOCLAW_RUNTIME:-}}} in
    docker | podman) return ;;
  esac
  return 1
}

# Where an engine seems to be at hand, that one will do.
without_bubblewrap() {
  local own=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} docker=${DOCKER_HOST:-} podman=${CONTAINER_HOST:-} socket
  if [ "${runtime:-}" != bubblewrap ]; then
    for socket in "${docker#unix://}" "${podman#unix://}" /var/run/docker.sock "$own/docker.sock" \
      "$own/podman/podman.sock" /run/podman/podman.sock; do
      if [ -S "$socket" ]; then
        detail "can't be had; there may be an engine at $socket"
        return
      fi
    done
  fi
  exit 1
}

# For tests alone, which are skipped where it can't be had.
ensure_faketime() {
  if ! compgen -G '/usr/lib*/*/faketime/libfaketime.so.1' >/dev/null && ! compgen -G '/usr/lib*/faketime/libfaketime.so.1' >/dev/null; then
    (install_packages libfaketime) || {
      detail "can't be had: what needs it is skipped"
      return
    }
  fi
  detail 'libfaketime'
}

# install_packages <name…>: with the manager that is there, as root or through sudo. Names are the same on all of them.
install_packages() {
  local command
  if command -v apt-get >/dev/null; then
    command="apt-get install -y -o DPkg::Lock::Timeout=120 --no-install-recommends $*"
  elif command -v dnf >/dev/null; then
    command="dnf install -y $*"
  elif command -v pacman >/dev/null; then
    command="pacman -S --needed --noconfirm $*"
  elif command -v zypper >/dev/null; then
    command="zypper --non-interactive install $*"
  elif command -v apk >/dev/null; then
    command="apk add $*"
  else
    give_up "$* can't be installed: no package manager that is known here." "Install by hand: $*"
  fi
  if [ "${command%% *}" != apt-get ]; then
    as_root "$command"
    return
  fi
  # The lists of a fresh system are empty; those of any other needn't be fetched again.
  as_root "$command" || { as_root 'apt-get update' && as_root "$command"; }
}

# as_root <command line>: as it stands here, it is also what a person is told to run.
as_root() {
  local words
  read -ra words <<<"$1"
  if [ "$(id -u)" = 0 ]; then
    DEBIAN_FRONTEND=noninteractive "${words[@]}"
  elif sudo -n true 2>/dev/null; then
    sudo -n env DEBIAN_FRONTEND=noninteractive "${words[@]}"
  elif [ "${interactive:-no}" = yes ] && command -v sudo >/dev/null; then
    # sudo asks on the terminal itself, past this step's log.
    sudo env DEBIAN_FRONTEND=noninteractive "${words[@]}"
  else
    give_up "This needs the system's administrator, and this user isn't one." "Run \`sudo $1\`, and then this again."
  fi
}
