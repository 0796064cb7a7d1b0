/**
 * Whether this machine's kernel takes datagrams that come from an address that it has no way back to. A sandbox's network gives
 * the machine no address, so what a sandbox sends to all in it is of that kind, and any program that listens everywhere gets it.
 */
import { readFileSync } from 'node:fs';

const FOLDER = '/proc/sys/net/ipv4/conf';

/** The stricter one counts; an interface that is made anew begins with `default`. Null: it can't be read. Pure. */
export function takesFromAnywhere(all: string | null, fresh: string | null): boolean {
  return Math.max(Number(all ?? 0), Number(fresh ?? 0)) === 0;
}

export function machineTakesFromAnywhere(): boolean {
  return takesFromAnywhere(setting('all'), setting('default'));
}

function setting(name: 'all' | 'default'): string | null {
  try {
    return readFileSync(`${FOLDER}/${name}/rp_filter`, 'utf8').trim();
  } catch {
    return null;
  }
}
