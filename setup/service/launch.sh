#!/bin/sh
# launch.sh <home> <program> [argument…]: becomes the program, as late as its last crashes ask for.
# A service manager runs this, and waits a second before it does so again. With that second, the pauses are 1, 2, 4, 8, 16,
# 32 and then 60 s; a run of 60 s or more begins anew. systemd's own steps (RestartSteps=) are never reset by a good run.
set -u
home=$1
shift
folder=$home/data/service
state=$folder/starts
output=$home/logs/host.out.log
umask 077

is_number() {
  case ${1:-} in '' | *[!0-9]*) return 1 ;; esac
}

# Not by the clock, which may jump. (macOS has no such file.)
now() {
  if [ -r /proc/uptime ]; then
    read -r up _ </proc/uptime
    printf '%s' "${up%%.*}"
  else
    date +%s
  fi
}

mkdir -p "$folder" "$home/logs"
boot=-
if [ -r /proc/sys/kernel/random/boot_id ]; then read -r boot </proc/sys/kernel/random/boot_id; fi

# How many starts came too soon after the one before. A file of another boot, or of no use, means none.
crashes=0
if [ -r "$state" ] && read -r last_boot last_start last_crashes _ <"$state" && [ "$last_boot" = "$boot" ] &&
  is_number "$last_start" && is_number "$last_crashes"; then
  crashes=1
  if [ $(($(now) - last_start)) -lt 60 ]; then crashes=$((last_crashes + 1)); fi
fi

pause=0
if [ "$crashes" -gt 6 ]; then
  pause=59
elif [ "$crashes" -gt 1 ]; then
  pause=1
  count=$crashes
  while [ "$count" -gt 1 ]; do
    pause=$((pause * 2))
    count=$((count - 1))
  done
  pause=$((pause - 1))
fi

# Before the start is noted: whoever reads of it may ask for its end.
sleeper=
trap 'if [ -n "$sleeper" ]; then kill "$sleeper" 2>/dev/null; fi; exit 0' TERM INT

# Where that can't be noted (a full disk), the pause is long enough for a loop of any length.
start=$(($(now) + pause))
if ! printf '%s %s %s\n' "$boot" "$start" "$crashes" 2>/dev/null >"$state" || [ ! -s "$state" ]; then pause=20; fi

if [ "$pause" -gt 0 ]; then
  sleep "$pause" &
  sleeper=$!
  wait "$sleeper"
fi
trap - TERM INT

if [ -f "$output" ] && [ "$(($(wc -c <"$output")))" -gt 1048576 ]; then mv -f "$output" "$output.1"; fi
# On a disk that can't be written, what it says goes to the service manager.
if true 2>/dev/null >>"$output"; then exec >>"$output" 2>&1; fi
exec "$@"
