import { errorText } from '../../src/errors.ts';

/** No answer that can be read. `unsent`: it surely never left; otherwise the platform may have done it. */
export class Lost extends Error {
  readonly unsent: boolean;

  constructor(message: string, unsent: boolean) {
    super(message);
    this.unsent = unsent;
  }
}

/** The connection was never made. */
const UNSENT = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

const IN_WORDS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ECONNRESET', 'it was cut off'],
  ['ENOTFOUND', 'there is no server of that name, or this machine is offline'],
  ['EAI_AGAIN', 'names of servers can not be looked up: this machine may be offline'],
  ['EHOSTUNREACH', 'no way leads there'],
  ['ENETUNREACH', 'this machine has no network'],
  ['UND_ERR_CONNECT_TIMEOUT', 'it does not answer'],
]);

/** Of what fetch threw, which hides the reason in `cause`; without the address, which may have a token in it. */
export function lostBy(error: unknown): Error {
  if (error instanceof Error && error.name === 'AbortError') return error;
  if (error instanceof Error && error.name === 'TimeoutError') return new Lost('There was no answer in time.', false);
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const why = code === '' ? errorText(cause) : IN_WORDS.has(code) ? `${IN_WORDS.get(code)} (${code})` : code;
  return new Lost(`The connection failed: ${why}`, UNSENT.has(code));
}
