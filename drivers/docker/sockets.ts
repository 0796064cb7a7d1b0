/** Where an engine may listen, best first. Pure. */
import path from 'node:path';
import { EngineTrouble } from './symptoms.ts';

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
  platform: string;
}

/** Throws NC_SANDBOX_UNUSABLE when the environment names one that is no socket here. */
export function engineSockets({ env, uid, platform }: Surroundings): string[] {
  if (env.DOCKER_HOST) return [fromAddress(env.DOCKER_HOST)];
  const runtime = env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`;
  const own = [path.join(runtime, 'docker.sock'), path.join(runtime, 'podman/podman.sock')];
  const systems = ['/var/run/docker.sock', '/run/podman/podman.sock'];
  if (platform === 'darwin') return [path.join(env.HOME ?? '/', '.docker/run/docker.sock'), '/var/run/docker.sock'];
  // A rootless engine first: what gets out of a sandbox there is still nobody.
  return uid === 0 ? systems : [...own, ...systems];
}

function fromAddress(address: string): string {
  const socket = /^unix:\/\/(\/.+)$/.exec(address)?.[1];
  if (socket) return socket;
  throw new EngineTrouble({
    code: 'NC_SANDBOX_UNUSABLE',
    reason: `DOCKER_HOST is ${address}: only an engine on this machine can mount this machine's folders.`,
    remedy: 'Set it to unix:///path/of/docker.sock, or unset it.',
  });
}
