import { Transform } from 'node:stream';

/** Shorter ones would blacken ordinary words. */
const MIN_SECRET_LENGTH = 8;

export interface Mask {
  text(value: string): string;
  /** A stream that holds back no byte but those with which the secret may begin. */
  stream(): Transform;
}

/**
 * Blackens a secret in what comes back from the model API, for one that repeats the headers it was sent. As many bytes
 * go out as come in, so a `Content-Length` stays true.
 */
export function createMask(secret: string): Mask {
  const escaped = JSON.stringify(secret).slice(1, -1);
  const forms = secret.length < MIN_SECRET_LENGTH ? [] : [...new Set([secret, escaped, encodeURIComponent(secret)])];
  const patterns = forms.map((form) => Buffer.from(form));
  return {
    text: (value) => forms.reduce((text, form) => text.replaceAll(form, '*'.repeat(form.length)), value),
    stream() {
      let held = Buffer.alloc(0);
      return new Transform({
        transform(chunk: Buffer, _encoding, done) {
          const data = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
          for (const pattern of patterns) blacken(data, pattern);
          const cut = data.length - beginning(data, patterns);
          held = Buffer.from(data.subarray(cut));
          done(null, data.subarray(0, cut));
        },
        flush(done) {
          done(null, held);
        },
      });
    },
  };
}

function blacken(data: Buffer, pattern: Buffer): void {
  for (let at = data.indexOf(pattern); at !== -1; at = data.indexOf(pattern, at))
    data.fill('*', at, at + pattern.length);
}

/** How many of the last bytes may be the beginning of a pattern. */
function beginning(data: Buffer, patterns: readonly Buffer[]): number {
  let longest = 0;
  for (const pattern of patterns) {
    for (let length = Math.min(pattern.length - 1, data.length); length > longest; length--) {
      if (data.subarray(data.length - length).equals(pattern.subarray(0, length))) longest = length;
    }
  }
  return longest;
}
