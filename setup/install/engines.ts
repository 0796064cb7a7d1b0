import { existsSync } from 'node:fs';
import type { Settings } from '../../cli/runtime/choice.ts';
import type { EngineName } from '../../cli/runtime/engine.ts';
import { lookAtRuntime, type RuntimeLook } from '../../cli/runtime/look.ts';
import { engineSockets } from '../../drivers/docker/sockets.ts';
import { hasCommand } from '../service/call.ts';

/** The container engines of this machine, in the order in which one is chosen. */
const ENGINES: readonly EngineName[] = ['docker', 'podman'];
const ADDRESSES: Readonly<Record<EngineName, string>> = { docker: 'DOCKER_HOST', podman: 'CONTAINER_HOST' };

export interface Engines {
  /** The first that sandboxes can be started in, now or once its image is built. */
  fitting: (RuntimeLook & { driver: EngineName }) | undefined;
  /** Those that are installed, or were named, and can't be used: they say why. */
  silent: RuntimeLook[];
}

export async function findEngines(root: string, settings: Settings): Promise<Engines> {
  const silent: RuntimeLook[] = [];
  for (const driver of ENGINES) {
    const look = await lookAtRuntime(root, driver, settings);
    if (look.usable || lacksImage(look)) return { fitting: { ...look, driver }, silent };
    if (isInstalled(driver, settings)) silent.push(look);
  }
  return { fitting: undefined, silent };
}

/** And nothing else that could be seen before it is built. */
export function lacksImage({ engine }: RuntimeLook): boolean {
  return engine !== undefined && !engine.hasImage && !engine.imageIsTheirs;
}

function isInstalled(engine: EngineName, settings: Settings): boolean {
  if (settings[ADDRESSES[engine]] || hasCommand(engine)) return true;
  const { platform } = process;
  return engineSockets({ engine, env: settings, uid: process.getuid?.() ?? 0, platform }).some((path) =>
    existsSync(path),
  );
}
