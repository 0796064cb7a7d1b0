#!/usr/bin/env bash
# boot-systemd.sh <label> <folder>…: systemd as process 1 of a private system: own processes, mounts, groups and network,
# over this machine's files, which stay as they are. The folders keep their place, and may be written to.
# Runs until it is killed; the one child of this process is that process 1. Needs root.
set -euo pipefail

# device, folder, type and options of each hierarchy of groups
hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2, $3, $4 }' /proc/self/mounts; }

# What to mount it by: its controllers, or its name.
kind_of() {
  case $1 in
    *name=*)
      local name=${1##*name=}
      printf 'none,name=%s' "${name%%,*}"
      ;;
    *) tr , '\n' <<<"$1" | grep -vxE 'rw|relatime|nosuid|nodev|noexec|xattr|release_agent=.*' | paste -sd, ;;
  esac
}

if [ "$1" != inside ]; then
  while read -r folder type options; do
    group=$folder/$1
    mkdir -p "$group"
    if [[ ,$options, == *,cpuset,* && $type == cgroup ]]; then
      for file in cpuset.cpus cpuset.mems; do cat "$folder/$file" >"$group/$file"; done
    fi
    echo $$ >"$group/cgroup.procs"
  done < <(hierarchies)
  shift
  exec unshare --pid --mount --fork --kill-child --uts --ipc --net --cgroup bash "$0" inside "$@"
fi

shift
mount --make-rprivate /
top=$(mktemp -d)
mount -t tmpfs tmpfs "$top"
mkdir "$top/changed" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$top/changed,workdir=$top/work" "$top/root"
root=$top/root
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
for folder in run tmp sys/fs/cgroup; do mount -t tmpfs tmpfs "$root/$folder"; done
while read -r folder type options; do
  mkdir -p "$root$folder"
  if [ "$type" = cgroup2 ]; then mount -t cgroup2 cgroup2 "$root$folder"; else mount -t cgroup -o "$(kind_of "$options")" cgroup "$root$folder"; fi
done < <(hierarchies)
for folder in "$@"; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
ip link set lo up 2>/dev/null || true
# Where a machine has its kernel's threads: bubblewrap, in a process namespace of its own and with the /proc of this one, looks
# at processes of such numbers.
echo 1 >"$root/proc/sys/kernel/ns_last_pid"
for _ in 2 3 4 5 6 7 8 9; do sleep infinity & done
# Not chroot, in which no further namespaces may be made.
cd "$root"
mkdir -p tmp/before
pivot_root . tmp/before
umount -l /tmp/before
export container=nanoclaw-test
exec /lib/systemd/systemd --system --unit=basic.target --show-status=no
