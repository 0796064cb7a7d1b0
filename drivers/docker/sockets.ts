/** Where an engine may listen, best first. Pure. */
import path from 'node:path';
import { EngineTrouble } from './symptoms.ts';

export interface Surroundings {
  /** Whose sockets come first. */
  engine: 'docker' | 'podman';
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
  platform: string;
}

/** As the engine's own command finds it. Throws NC_SANDBOX_UNUSABLE when the environment names one that is no socket here. */
export function engineSockets({ engine, env, uid, platform }: Surroundings): string[] {
  const variable = engine === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST';
  const named = env[variable];
  if (named) return [fromAddress(variable, named)];
  const runtime = env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  const [own, systems] =
    engine === 'docker'
      ? [path.join(runtime, 'docker.sock'), '/var/run/docker.sock']
      : [path.join(runtime, 'podman/podman.sock'), '/run/podman/podman.sock'];
  if (platform === 'darwin' && engine === 'docker')
    return [path.join(env.HOME ?? '/', '.docker/run/docker.sock'), systems];
  // A rootless engine first: what gets out of a sandbox there is still nobody.
  return uid === 0 ? [systems] : [own, systems];
}

function fromAddress(variable: string, address: string): string {
  const socket = /^unix:\/\/(\/.+)$/.exec(address)?.[1];
  if (socket) return socket;
  const example = variable === 'DOCKER_HOST' ? 'docker.sock' : 'podman.sock';
  if (address.startsWith('/')) {
    throw new EngineTrouble({
      code: 'NC_SANDBOX_UNUSABLE',
      reason: `${variable} is ${address}: unix:// is missing in front of it.`,
      remedy: `Set it to unix://${address}.`,
    });
  }
  throw new EngineTrouble({
    code: 'NC_SANDBOX_UNUSABLE',
    reason: `${variable} is ${address}: only an engine on this machine can mount this machine's folders.`,
    remedy: `Set it to unix:///path/of/${example}, or unset it.`,
  });
}
