# shellcheck shell=bash
# In which engine an image is made: what was asked for, else what the install's sandboxes run in. Sourced by build.sh.

# How the setting is called that says where an engine listens.
address_setting() { case $(basename "$1") in podman) echo CONTAINER_HOST ;; *) echo DOCKER_HOST ;; esac }

choose_engine() {
  local chosen name why=''
  if [ -n "$engine" ]; then need_command "$engine"; fi
  chosen=${engine:-$(setting NANOCLAW_RUNTIME)}
  case $chosen in bubblewrap | '') chosen='' ;; docker | podman | "$engine") ;;
    *) refuse "NANOCLAW_RUNTIME is ${chosen@Q}, which is no engine." 'It may be docker or podman; --engine names one for this build.' ;;
  esac
  if [ -n "$socket" ]; then
    need_socket "$socket" 'as --socket says'
    try_at "unix://$socket" "$chosen" && return
  elif [ -n "$chosen" ]; then
    try_there "$chosen" && return
  else
    for name in docker podman; do try_there "$name" && return; done
  fi
  if [ -n "$why" ]; then refuse "${chosen:-The engine} does not answer${socket:+ at $socket}: $why" 'Is it running, and may this user use it?'; fi
  refuse 'An image is built with the command of docker or podman, and none of them answers.' \
    'Install one and start its engine, or name it with --engine.'
}

# Those two may be missing where the other one speaks to the engine.
need_command() {
  if command -v "$1" >/dev/null || { [ -n "$socket" ] && [[ $1 =~ ^(docker|podman)$ ]]; }; then return; fi
  refuse "There is no command ${1@Q} here." 'An image is built with docker or podman: name one of them that is installed.'
}

need_socket() {
  if [ ! -S "$1" ]; then refuse "There is no engine's socket at $1, $2." 'Start the engine, or name where it listens.'; fi
}

# try_there <command>: where the settings say that its engine is, else where the command itself looks.
try_there() {
  local name address
  name=$(address_setting "$1")
  address=$(setting "$name")
  if [ -z "$address" ]; then
    answers "$1" && engine_title=$(basename "$1")
    return
  fi
  if [[ $address == unix://* ]]; then need_socket "${address#unix://}" "as $name says"; fi
  try_at "$address" "$1"
}

# try_at <address> <command>: the other's command speaks to it as well.
try_at() {
  local name
  export DOCKER_HOST=$1 CONTAINER_HOST=$1
  for name in $2 docker podman; do
    if answers "$name"; then
      engine_title="${2:-$name} at ${1#unix://}"
      return
    fi
  done
  return 1
}

# Keeps why not, of the first that is there at all.
answers() {
  local said
  if ! command -v "$1" >/dev/null; then return 1; fi
  if said=$("$1" version 2>&1 >/dev/null); then
    engine=$1
    return
  fi
  why=${why:-$(tail -n 1 <<<"$said")}
  return 1
}
