import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { HOST_FLAGS } from '../../cli/host-process.ts';
import { installSlug } from '../../src/install-slug.ts';
import { ownerOf } from './marker.ts';

/** What a service manager is to run, whichever it is. */
export interface Plan {
  /** `nanoclaw-v2-<slug>`. */
  name: string;
  owner: string;
  /** Real path of the checkout. */
  root: string;
  /** Real path of the folder of data/, logs/, groups/ and .env; the working folder. */
  home: string;
  /** The host's program and its arguments, absolute. */
  host: readonly string[];
  /** All of it: the service is the same whoever starts it, a person or the machine. */
  environment: Readonly<Record<string, string>>;
}

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
const TAKEN = [...PROXIES, 'NO_PROXY', 'no_proxy', 'NODE_EXTRA_CA_CERTS'];

export function planFor(root: string, home: string, env: NodeJS.ProcessEnv = process.env): Plan {
  const code = realpathSync(root);
  // `ncl` has made it the working folder: a relative one has no other meaning any more.
  const place = realpathSync(isAbsolute(home) ? home : '.');
  return {
    name: `nanoclaw-v2-${installSlug(place)}`,
    owner: ownerOf(place),
    root: code,
    home: place,
    host: [join(code, '.runtime', 'bin', 'node'), ...HOST_FLAGS, join(code, 'src', 'index.ts')],
    environment: {
      PATH: pathFor(env.PATH),
      HOME: env.HOME ?? homedir(),
      ...(place !== code && { NANOCLAW_HOME: place }),
      NODE_COMPILE_CACHE: join(code, '.runtime', 'compile-cache'),
      ...takenFrom(env),
    },
  };
}

/** What would leave a password where other users read: `.env` is the place for these. */
export function leftOut(env: NodeJS.ProcessEnv = process.env): string[] {
  return PROXIES.filter((name) => env[name]?.includes('@'));
}

function takenFrom(env: NodeJS.ProcessEnv): Record<string, string> {
  const secret = leftOut(env);
  const taken = TAKEN.flatMap((name) => {
    const value = env[name];
    // The system's own store is used anyway: whether it was named in this shell makes no difference.
    const isSystems = name === 'NODE_EXTRA_CA_CERTS' && /^\/etc\/(ssl|pki)\//.test(value ?? '');
    return value && !secret.includes(name) && !isSystems ? [[name, value] as const] : [];
  });
  return Object.fromEntries(taken);
}

/** Not the caller's, which differs from shell to shell; with the folder of bubblewrap where that is elsewhere. */
function pathFor(callers = ''): string {
  const holds = (folder: string) => existsSync(join(folder, 'bwrap'));
  const own = PATH.some(holds)
    ? undefined
    : callers.split(delimiter).find((folder) => isAbsolute(folder) && holds(folder));
  return [...(own ? [own] : []), ...PATH].join(delimiter);
}
