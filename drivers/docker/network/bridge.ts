/** What the engine is asked to make of the relay's bridge, the one program that sandboxes can call. Pure. */
import { CONFINED, LABEL, PIPED, securityOptions } from '../body.ts';
import { BLOCK } from './subnets.ts';

export const HOSTS_NAME = 'host.docker.internal';
const MiB = 1024 * 1024;
const NOBODY = 65_534;

export interface BridgeParts {
  image: string;
  /** The text of `forward.ts`. */
  script: string;
  /** Where the host listens. */
  port: number;
  /** Where sandboxes call. */
  listenOn: number;
  /** The engine's machine is this one: the name of the host has to be made. */
  sameKernel: boolean;
  remapsUsers: boolean;
  selinux: boolean;
  seccomp: string | null;
  install: string;
  host: string;
}

export type BridgeBody = ReturnType<typeof bridgeBody>;

export function bridgeBody(parts: BridgeParts) {
  const { image, script, port, listenOn } = parts;
  return {
    Image: image,
    User: `${NOBODY}:${NOBODY}`,
    Hostname: 'relay',
    WorkingDir: '/',
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
    Entrypoint: ['/usr/bin/tini', '--'],
    Cmd: ['node', '--input-type=module-typescript', '-e', script, HOSTS_NAME, String(port), String(listenOn), BLOCK],
    ...PIPED,
    Labels: { [LABEL.install]: parts.install, [LABEL.host]: parts.host },
    HostConfig: {
      NetworkMode: 'bridge',
      AutoRemove: true,
      ...CONFINED,
      SecurityOpt: securityOptions(parts.seccomp, parts.selinux),
      UsernsMode: parts.remapsUsers ? 'host' : '',
      // It stands in many networks and hands on no packet, only what its program has read.
      Sysctls: { 'net.ipv4.ip_forward': '0', 'net.ipv4.conf.all.accept_source_route': '0' },
      ...(parts.sameKernel ? { ExtraHosts: [`${HOSTS_NAME}:host-gateway`] } : {}),
      Memory: 256 * MiB,
      PidsLimit: 64,
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      RestartPolicy: { Name: 'no' },
    },
  };
}
