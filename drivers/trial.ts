/** A look at a sandbox from inside, which every driver's declaration rests on. The script looks, the driver judges. */
import type { SandboxLimits } from '../src/sandbox/driver.ts';

export const TRIAL_LIMITS: SandboxLimits = {
  memoryBytes: 256 * 1024 * 1024,
  cpus: 1,
  pids: 64,
  fileSizeBytes: 1024 * 1024,
};

/** Plain sh, and almost all of it builtins: the trial has to cost milliseconds. */
export const TRIAL_SCRIPT = `
while read -r key value; do case $key in Uid:|CapEff:|CapBnd:|NoNewPrivs:|Seccomp:) echo "$key$value" ;; esac; done </proc/self/status
while read -r line; do case $line in "Max processes"*|"Max file size"*) set -- $line; shift; echo "limit:$*" ;; esac; done </proc/self/limits
while read -r device at type options rest; do case $at in /|/usr|/tmp) echo "mount:$at $type $options" ;; esac; done </proc/self/mounts
while read -r name rest; do case $name in *:) echo "net:$name" ;; esac; done </proc/net/dev
while read -r inside outside count; do echo "uidmap:$inside $outside $count"; done </proc/self/uid_map
read -r init </proc/1/comm; echo "init:$init $PPID"
if unshare --user true 2>/dev/null; then echo nested:yes; else echo nested:no; fi
`;
