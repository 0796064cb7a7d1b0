/** Which runtime is set, and where. Pure. */
import { DRIVER_NAMES, type DriverName, defaultDriver, isDriverName } from '../../drivers/names.ts';

export type Settings = Readonly<Record<string, string | undefined>>;

export interface Choice {
  /** Undefined: what is written names none that there is. */
  name: DriverName | undefined;
  written: string;
  since: '.env' | 'environment' | 'default';
  /** Why there is none. */
  problem?: string;
}

/** As the host has it: what stands in `.env` wins over its environment. */
export function readChoice(file: Settings, environment: Settings, platform: NodeJS.Platform): Choice {
  const since = file.NANOCLAW_RUNTIME ? '.env' : environment.NANOCLAW_RUNTIME ? 'environment' : 'default';
  const written = file.NANOCLAW_RUNTIME || environment.NANOCLAW_RUNTIME || defaultDriver(platform);
  if (isDriverName(written)) return { name: written, written, since };
  return {
    name: undefined,
    written,
    since,
    problem: `NANOCLAW_RUNTIME is ${JSON.stringify(written)}; there are ${DRIVER_NAMES.join(', ')}.`,
  };
}

/** Settings that choose an engine, what runs in it, and what its image is made of. */
function ownSettings(name: DriverName): string[] {
  if (name === 'bubblewrap') return [];
  const address = name === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST';
  const ours = ['OCI_RUNTIME', 'IMAGE', 'RELAY', 'BASE_IMAGE', 'CA_BUNDLE', 'BUILD_NETWORK'];
  const parts = ['CHROMIUM', 'CJK_FONTS', 'CLAUDE_CLI'];
  return [address, ...ours.map((each) => `NANOCLAW_${each}`), ...parts.map((each) => `INSTALL_${each}`)];
}

/**
 * What `.env` has to say so that a host uses it: also what was tried by the environment of this shell, which a service
 * doesn't have.
 */
export function linesFor(name: DriverName, file: Settings, environment: Settings): Record<string, string> {
  const lines: Record<string, string> = { NANOCLAW_RUNTIME: name };
  for (const setting of ownSettings(name)) {
    const value = environment[setting];
    if (value && !file[setting]) lines[setting] = value;
  }
  return lines;
}

export interface Outvoted {
  setting: string;
  /** What `.env` says, which wins. */
  used: string;
  /** What this shell says. */
  unused: string;
}

/** What this shell says otherwise than `.env`. */
export function outvoted(name: DriverName, file: Settings, environment: Settings): Outvoted[] {
  return ownSettings(name).flatMap((setting) => {
    const [used, unused] = [file[setting], environment[setting]];
    return used && unused && used !== unused ? [{ setting, used, unused }] : [];
  });
}

/** What is set, and means nothing to this runtime: somebody may rely on it. */
export function idleSetting(name: DriverName, settings: Settings): string | undefined {
  return name === 'bubblewrap' && settings.NANOCLAW_OCI_RUNTIME ? 'NANOCLAW_OCI_RUNTIME' : undefined;
}
