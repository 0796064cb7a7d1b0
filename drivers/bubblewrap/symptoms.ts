/** Why no sandbox starts on this machine, and what to do: from what was seen to a sentence and a command. Pure. */

export interface Symptoms {
  /** Missing executables, by name. */
  missing: readonly string[];
  /** As bwrap says it, "0.8.0"; null when it said nothing. */
  version: string | null;
  /** Null: there is no such setting on this kernel. */
  sysctls: Readonly<Record<SysctlName, string | null>>;
  inContainer: boolean;
  root: boolean;
  /** The last lines of the trial. */
  output: string;
}

export const SYSCTLS = {
  apparmor: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
  clone: '/proc/sys/kernel/unprivileged_userns_clone',
  max: '/proc/sys/user/max_user_namespaces',
} as const;
export type SysctlName = keyof typeof SYSCTLS;

export interface Diagnosis {
  reason: string;
  remedy: string;
}

const OLDEST = [0, 8];

export function isTooOld(version: string | null): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return version !== null && (major < (OLDEST[0] ?? 0) || (major === OLDEST[0] && minor < (OLDEST[1] ?? 0)));
}

const APPARMOR_PROFILE = [
  "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\\n  userns,\\n}\\n'",
  'sudo tee /etc/apparmor.d/bwrap > /dev/null && sudo systemctl reload apparmor',
].join(' | ');

const asRoot = (root: boolean, command: string): string => (root ? command.replaceAll('sudo ', '') : command);

export function diagnose(symptoms: Symptoms): Diagnosis {
  const { missing, version, sysctls, inContainer, root, output } = symptoms;
  const say = (reason: string, remedy: string): Diagnosis => ({ reason, remedy: asRoot(root, remedy) });
  if (missing.length > 0) {
    return say(
      `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed.`,
      'Run `sudo apt-get install -y bubblewrap util-linux` (Fedora: `sudo dnf install -y bubblewrap util-linux`; Arch: `sudo pacman -S bubblewrap util-linux`).',
    );
  }
  if (isTooOld(version)) {
    return say(
      `bubblewrap ${version} is too old: it can't switch off nested user namespaces, which came with 0.8.`,
      'Update the system (Debian 12, Ubuntu 24.04 and Fedora 38 have it), or use the docker driver.',
    );
  }
  if (sysctls.max === '0') {
    return say(
      'User namespaces are switched off: user.max_user_namespaces is 0.',
      keepSysctl('user.max_user_namespaces=15000'),
    );
  }
  if (sysctls.clone === '0') {
    return say(
      'User namespaces are for root alone: kernel.unprivileged_userns_clone is 0.',
      keepSysctl('kernel.unprivileged_userns_clone=1'),
    );
  }
  const refused = /namespace|uid map|setting up|Operation not permitted|Permission denied/i.test(output);
  if (sysctls.apparmor === '1' && refused) {
    return say(
      'AppArmor keeps user namespaces from programs without a profile (Ubuntu 24.04 and later).',
      `Give bwrap a profile: \`${APPARMOR_PROFILE}\``,
    );
  }
  if (inContainer && refused) {
    return say(
      'This machine is a container itself, and its engine allows no namespaces inside.',
      'Start that container with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`, or use the docker driver with its socket.',
    );
  }
  if (/disable-userns|max_user_namespaces/.test(output)) {
    return say(
      'This kernel refuses to switch off nested user namespaces.',
      'Update the kernel (`sudo dnf update kernel` on RHEL 9), or use the docker driver.',
    );
  }
  if (/Can't find source path|Permission denied/i.test(output)) {
    return say(
      'The user that runs the host can not read what it has to mount.',
      'Let it read the checkout and search the folders above: `chmod o+x` on each of them.',
    );
  }
  return say(
    `The trial failed: ${output.trim() || 'it said nothing'}`,
    'See docs/sandboxes.md, or use the docker driver.',
  );
}

function keepSysctl(setting: string): string {
  return `Run \`echo ${setting} | sudo tee /etc/sysctl.d/60-nanoclaw.conf && sudo sysctl --system\``;
}
