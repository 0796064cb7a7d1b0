#!/bin/sh
# supervise.sh <home> <program> [argument…]: keeps one host running, where no service manager of the system does.
# A host that ends with 0 was stopped on purpose: then this ends, too. Any other end starts it again, at the pace of launch.sh.
# SIGTERM ends the host first, and is how this is stopped.
set -u
home=$1
shift
here=$(dirname "$0")
folder=$home/data/service
log=$home/logs/supervisor.log
umask 077
mkdir -p "$folder" "$home/logs"
cd "$home" || exit 1

say() {
  if [ -f "$log" ] && [ "$(($(wc -c <"$log")))" -gt 262144 ]; then mv -f "$log" "$log.1"; fi
  printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" 2>/dev/null >>"$log"
}

if ! command -v flock >/dev/null; then
  say 'there is no flock (of util-linux), which keeps a second supervisor out'
  exit 4
fi

# Held by this process alone: its children get no copy, or a host that outlives it would keep the next one out.
exec 9>>"$folder/supervisor.lock"
if ! flock -n 9; then
  say "another supervisor of this install is at work; process $$ ends"
  exit 3
fi

stopping=
child=
pause=
trap 'stopping=yes; kill -TERM $child $pause 2>/dev/null' TERM INT
trap '' HUP

say "supervisor $$ begins"
while [ -z "$stopping" ]; do
  /bin/sh "$here/launch.sh" "$home" "$@" 9>&- &
  child=$!
  printf '%s %s\n' "$$" "$child" 2>/dev/null >"$folder/supervisor.pid"
  say "host started as process $child"
  # A signal that came just before it had a name.
  if [ -n "$stopping" ]; then kill -TERM "$child" 2>/dev/null; fi
  while :; do
    wait "$child"
    status=$?
    # A signal to this process ends the wait, not the host.
    if [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; then continue; fi
    break
  done
  child=
  if [ "$status" = 0 ]; then
    say 'host ended by its own will: it stays stopped'
    rm -f "$folder/starts"
    break
  fi
  if [ -n "$stopping" ]; then break; fi
  if [ "$status" -gt 128 ]; then how="signal $((status - 128))"; else how="status $status"; fi
  say "host ended with $how: it is started again"
  sleep 1 9>&- &
  pause=$!
  wait "$pause"
  pause=
done
rm -f "$folder/supervisor.pid"
say "supervisor $$ ends"
