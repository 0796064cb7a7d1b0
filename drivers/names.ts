/** What a sandbox can be started with, by the names that people give. Light: `ncl` reads it. */
export const DRIVER_NAMES = ['bubblewrap', 'docker', 'podman'] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];

export const isDriverName = (name: string): name is DriverName => DRIVER_NAMES.some((known) => known === name);

/** Without a setting: the one that needs nothing but Linux, or the one that is at home elsewhere. */
export function defaultDriver(platform: NodeJS.Platform): DriverName {
  return platform === 'linux' ? 'bubblewrap' : 'docker';
}
