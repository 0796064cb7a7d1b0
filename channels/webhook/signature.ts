import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Signatures as Standard Webhooks has them, over id, time and body; and as GitHub has them, over the body alone. Pure.
 * Each source has one of them: a sender doesn't choose what it is checked by.
 */

export type Scheme = 'standard' | 'github';

/** The window for a sender's clock, both ways. */
export const TOLERANCE_S = 5 * 60;

const PREFIX = 'whsec_';
const MIN_KEY_BYTES = 24;
/** No dot: what is signed is joined by dots, and could be cut elsewhere. */
const ID = /^[\w:=+/@-]{1,128}$/;
const MOST_SIGNATURES = 16;

type Headers = Readonly<Record<string, string>>;

export interface Verified {
  /** The same for every attempt at this event. */
  id: string;
  /** When it was sent, in ms since the epoch. */
  at: number;
}

/** Undefined: not signed by one who knows a secret, or not now. Takes the same time however wrong it is. */
export function verify(
  { scheme, keys }: { scheme: Scheme; keys: readonly Buffer[] },
  { headers, body }: { headers: Headers; body: Buffer },
  now: number,
): Verified | undefined {
  return scheme === 'standard' ? verifyStandard(keys, headers, body, now) : verifyGithub(keys, headers, body, now);
}

function verifyStandard(keys: readonly Buffer[], headers: Headers, body: Buffer, now: number): Verified | undefined {
  const id = headers['webhook-id'] ?? '';
  const time = headers['webhook-timestamp'] ?? '';
  const given = (headers['webhook-signature'] ?? '').split(' ').slice(0, MOST_SIGNATURES);
  const signed = isSigned(
    keys.map((key) => standardSignature(key, id, time, body)),
    given,
  );
  if (!signed || !ID.test(id) || !/^[1-9]\d{0,11}$/.test(time)) return undefined;
  if (Math.abs(now - Number(time) * 1000) > TOLERANCE_S * 1000) return undefined;
  return { id, at: Number(time) * 1000 };
}

/** What names a delivery isn't signed, so the signed bytes do: whoever sends them again sends the same event. */
function verifyGithub(keys: readonly Buffer[], headers: Headers, body: Buffer, now: number): Verified | undefined {
  const expected = keys.map((key) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`);
  if (!isSigned(expected, [headers['x-hub-signature-256'] ?? ''])) return undefined;
  return { id: `sha256:${createHash('sha256').update(body).digest('hex')}`, at: now };
}

export function standardSignature(key: Buffer, id: string, time: string, body: Buffer): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest('base64')}`;
}

/** All are compared, whichever fits: how long it takes tells nothing. */
function isSigned(expected: readonly string[], given: readonly string[]): boolean {
  let found = false;
  for (const one of expected) {
    const right = Buffer.from(one);
    for (const other of given) {
      const bytes = Buffer.from(other);
      // Their length is no secret.
      if (bytes.length === right.length && timingSafeEqual(bytes, right)) found = true;
    }
  }
  return found;
}

/** The bytes of a secret: of one that begins with `whsec_` what is written after it in base64, else its own. */
export function readKey(secret: string, scheme: Scheme): Buffer | { problem: string } {
  if (scheme === 'standard' && secret.startsWith(PREFIX)) {
    const written = secret.slice(PREFIX.length);
    const key = Buffer.from(written, 'base64');
    if (key.toString('base64').replace(/=+$/, '') !== written.replace(/=+$/, '')) {
      return { problem: 'is not base64 after whsec_' };
    }
    return key.length >= MIN_KEY_BYTES ? key : { problem: `has fewer than ${MIN_KEY_BYTES} bytes` };
  }
  const key = Buffer.from(secret);
  return key.length >= MIN_KEY_BYTES ? key : { problem: `is shorter than ${MIN_KEY_BYTES} characters` };
}
