import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { describeKind, judgeAddress } from '@nanoclaw/vault';
import type { DeliveryResult } from '../../src/channels/adapter.ts';
import { standardSignature } from './signature.ts';
import type { AnswerTo } from './sources.ts';

/** One signed POST, and what its answer means. */

const { request: httpRequest } = process.getBuiltinModule('node:http');
const { request: httpsRequest } = process.getBuiltinModule('node:https');

const TIMEOUT_MS = 20_000;
const LONGEST_WAIT_MS = 3_600_000;
/** What `isPrivate` opens: never a cloud's metadata service. */
const PRIVATE = new Set(['loopback', 'private', 'shared']);

export interface Post {
  /** The same for every attempt: a receiver that has it already leaves it. */
  id: string;
  body: Buffer;
}

/** Never rejects. */
export function post(
  { url, key, isPrivate }: AnswerTo,
  { id, body }: Post,
  timeoutMs = TIMEOUT_MS,
): Promise<DeliveryResult> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const refusal = isIP(host) === 0 ? undefined : refusalOf(host, url, isPrivate);
  if (refusal !== undefined) return Promise.resolve({ status: 'failed', retryable: false, error: refusal });
  const time = String(Math.floor(Date.now() / 1000));
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    let isSent = false;
    const request = send(url, {
      method: 'POST',
      agent: false,
      lookup: judged(url, isPrivate),
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        'user-agent': 'nanoclaw',
        'webhook-id': id,
        'webhook-timestamp': time,
        'webhook-signature': standardSignature(key, id, time, body),
      },
    });
    const timer = setTimeout(() => request.destroy(new Error('no answer in time')), timeoutMs);
    const end = (result: DeliveryResult) => {
      clearTimeout(timer);
      resolve(result);
      request.destroy();
    };
    // All of it has left this machine: from here on it may have been taken.
    request.once('finish', () => {
      isSent = true;
    });
    request.once('response', (response) => end(meaningOf(response)));
    request.once('error', (error) => end(failureOf(error, isSent)));
    request.on('close', () => end(failureOf(new Error('it closed the connection'), isSent)));
    // Stays: an error that nobody listens for would end the host.
    request.on('error', () => {});
    request.end(body);
  });
}

function meaningOf({ statusCode = 0, headers }: Pick<IncomingMessage, 'statusCode' | 'headers'>): DeliveryResult {
  if (statusCode >= 200 && statusCode < 300) return { status: 'sent' };
  const error = `The receiver answered ${statusCode}.`;
  if (statusCode >= 300 && statusCode < 400) {
    return {
      status: 'failed',
      retryable: false,
      error: `${error} Redirects are not followed: ANSWER_URL has to be the right one.`,
    };
  }
  const retryable = statusCode >= 500 || [408, 425, 429].includes(statusCode);
  const retryAfterMs = retryable ? waitOf(headers['retry-after'], Date.now()) : undefined;
  return { status: 'failed', retryable, error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** In seconds, or a date. */
export function waitOf(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_WAIT_MS);
}

function failureOf(error: Error, isSent: boolean): DeliveryResult {
  if (error instanceof Refused) return { status: 'failed', retryable: false, error: error.message };
  const { code } = error as NodeJS.ErrnoException;
  // By its code: a message may hold the whole address.
  const text = `The receiver can't be reached: ${code ?? error.message}.`;
  return isSent ? { status: 'unknown', error: text } : { status: 'failed', retryable: true, error: text };
}

class Refused extends Error {}

/** Resolves a name to the addresses that an answer may go to: what it resolves to later does not matter. */
function judged(url: URL, isPrivate: boolean): LookupFunction {
  return (hostname, options, done) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const allowed = addresses.filter(({ address }) => refusalOf(address, url, isPrivate) === undefined);
      const [first] = allowed;
      if (first) return options.all ? done(null, allowed) : done(null, first.address, first.family);
      const why = addresses[0] && refusalOf(addresses[0].address, url, isPrivate);
      done(new Refused(why ?? 'It has no address.'), []);
    });
  };
}

function refusalOf(address: string, { host, protocol }: URL, isPrivate: boolean): string | undefined {
  const kind = judgeAddress(address);
  if (kind === undefined) {
    return protocol === 'https:' ? undefined : `${host} is a public address: answers go there by https alone.`;
  }
  if (isPrivate && PRIVATE.has(kind)) return undefined;
  const remedy = PRIVATE.has(kind) ? ' ANSWER_PRIVATE=yes allows it.' : '';
  return `${host} is ${describeKind(kind)}.${remedy}`;
}
