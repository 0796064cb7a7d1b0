/**
 * What tells a container that a host of this install has made from one that only carries its labels: whoever may use the engine
 * can write labels, and one of them names a file that the next host writes to.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LABEL } from './body.ts';
import { NETWORK_LABEL } from './network/ways.ts';

type Labels = Readonly<Record<string, string>>;

export const SEAL_LABEL = 'org.nanoclaw.seal';
/** All that is relied on when it is taken over. */
const COUNTS = [...Object.values(LABEL), NETWORK_LABEL];

export function sealed(stateDir: string, labels: Labels): Labels {
  return { ...labels, [SEAL_LABEL]: sealOf(stateDir, labels) };
}

export function isSealed(stateDir: string, labels: Labels): boolean {
  const [said, right] = [labels[SEAL_LABEL] ?? '', sealOf(stateDir, labels)].map((text) => Buffer.from(text));
  return said !== undefined && right !== undefined && said.length === right.length && timingSafeEqual(said, right);
}

function sealOf(stateDir: string, labels: Labels): string {
  const said = JSON.stringify(COUNTS.map((name) => labels[name] ?? null));
  return createHmac('sha256', keyIn(stateDir)).update(said).digest('hex');
}

/** The install's, for all its hosts: made once, in one piece. */
function keyIn(stateDir: string): Buffer {
  const file = path.join(stateDir, 'seal');
  if (!existsSync(file)) {
    mkdirSync(stateDir, { recursive: true });
    const fresh = `${file}.${randomBytes(4).toString('hex')}`;
    writeFileSync(fresh, randomBytes(32), { mode: 0o600, flag: 'wx' });
    try {
      linkSync(fresh, file);
    } catch (error) {
      if (!existsSync(file)) throw error; // else another process was first
    } finally {
      rmSync(fresh, { force: true });
    }
  }
  return readFileSync(file);
}
