# shellcheck shell=bash
# Takes away what engines.sh has started, also of a run that could not do so itself.

engines_prefix=nanoclaw-engines

# Ends by id what was started in there, and removes what it has mounted and written.
remove_engines() {
  local folder=$1 names
  # An engine ends its containers; nobody else can.
  if [ -S "$folder/docker.sock" ]; then
    names=$(timeout 20 docker --host "unix://$folder/docker.sock" ps --all --quiet 2>/dev/null || true)
    # shellcheck disable=SC2086 # many
    if [ -n "$names" ]; then timeout 60 docker --host "unix://$folder/docker.sock" rm --force $names || true; fi
  fi
  if [ -x "$folder/podman" ]; then timeout 60 "$folder/podman" rm --all --force --time 0 || true; fi
  end_processes "$folder" TERM
  end_processes "$folder" KILL
  awk -v folder="$folder/" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r mounted; do
    umount --lazy "$mounted" || true
  done
  find /sys/fs/cgroup -depth -type d -path "*/$(basename "$folder")*" -exec rmdir {} + 2>/dev/null || true
  rm -rf "$folder"
}

# end_processes <folder> <signal>: those that were started with a path in there; waits until they are gone.
end_processes() {
  local deadline=$((SECONDS + 20))
  mapfile -t found < <(processes_of "$1")
  if [ "${#found[@]}" -gt 0 ]; then kill "-$2" "${found[@]}" 2>/dev/null || true; fi
  while [ -n "$(processes_of "$1")" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
}

# The brackets keep the search itself out of what it finds.
processes_of() {
  local last=${1: -1}
  { grep -l -e "${1%?}[$last]/" /proc/[0-9]*/cmdline 2>/dev/null || true; } | sed 's|/proc/||; s|/cmdline||'
}

# Of runs that were killed.
remove_abandoned_engines() {
  local folder pid
  for folder in "${TMPDIR:-/tmp}/$engines_prefix".*; do
    pid=$(cat "$folder/pid" 2>/dev/null || true)
    if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then remove_engines "$folder"; fi
  done
}
