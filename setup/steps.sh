# shellcheck shell=bash
# Runs a step of the setup: one line with its time on the screen, its raw output in a file, a reason when it fails.
# Sourced with the checkout as the working folder. Everything for a person goes to stderr: stdout is for a reply.

setup_log=logs/setup.log
steps_folder=logs/setup-steps
step_number=0

say() { printf '%s\n' "$*" >&2; }

now_ms() {
  local micros=${EPOCHREALTIME//[!0-9]/}
  printf '%s' "${micros%???}"
}

seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# Before the first step: what can't be written here can't be logged here either.
open_logs() {
  local said
  if said=$({ mkdir -p "$steps_folder" && chmod 700 logs && : >>"$setup_log"; } 2>&1); then return; fi
  say '  ✗ logs'
  # Through a pipe, which isn't a file to point to.
  printf '%s\n' "$said" | bash setup/explain.sh /dev/stdin >&2
  exit 1
}

# Two setups of one checkout would undo each other's work.
hold_lock() {
  if ! command -v flock >/dev/null; then return; fi
  exec 9>.runtime/lock
  if ! flock -n 9; then
    say '  … another setup of this checkout is at work: waiting for it'
    flock 9
  fi
}
release_lock() { exec 9>&-; }

# Inside a step: what its line shows, and, when it can not go on, why and what a person can do.
detail() { printf 'setup: detail: %s\n' "$*"; }
give_up() {
  printf 'setup: why: %s\nsetup: remedy: %s\n' "$1" "$2" >&2
  exit 1
}

noted() { sed -n "s/^setup: $1: //p" "$2" 2>/dev/null | tail -n 1; }

# step <name> <command…>: exits with 1 when the command fails.
step() {
  local name=$1 number file started elapsed status
  shift
  step_number=$((step_number + 1))
  number=$(printf '%02d' "$step_number")
  file=$steps_folder/$number-$name.log
  started=$(now_ms)
  if [ -t 2 ]; then printf '  … %s\r' "$name" >&2; fi
  # Not in a condition: there bash would ignore `set -e` inside.
  set +e
  (
    set -e
    "$@"
  ) >"$file" 2>&1 </dev/null
  status=$?
  set -e
  elapsed=$(seconds $(($(now_ms) - started)))
  if [ "$status" = 0 ]; then
    note_step "$number" "$name" ok "$elapsed" "$(noted detail "$file")"
    printf '  ✓ %-12s %8s  %s\n' "$name" "$elapsed" "$(noted detail "$file")" >&2
    return
  fi
  note_step "$number" "$name" failed "$elapsed" "see $file"
  printf '  ✗ %-12s %8s\n' "$name" "$elapsed" >&2
  bash setup/explain.sh "$file" >&2
  exit 1
}

# A full disk must not turn a step that worked into a failure.
note_step() {
  printf '%(%Y-%m-%dT%H:%M:%SZ)T %s %s %s %s %s\n' -1 "$@" >>"$setup_log" 2>/dev/null || true
}
