import { domainToASCII } from 'node:url';
import addressparser from 'nodemailer/lib/addressparser';

/** Addresses of mail, in the one spelling that chats, users and settings are compared by. */

export interface Address {
  name: string;
  /** As `plainAddress` gives it. */
  address: string;
}

// What a header, an SMTP command or a list of addresses could be broken by never gets through.
const PLAIN = /^[^\s<>()[\]\\,;:"@\p{C}]{1,64}@[a-z0-9.-]{1,253}$/u;

/** Lower-cased, its domain in ASCII; undefined when it is no address that we would write to. */
export function plainAddress(raw: string): string | undefined {
  const at = raw.lastIndexOf('@');
  if (at < 1 || raw.length > 320) return undefined;
  const domain = domainToASCII(raw.slice(at + 1).trim());
  const address = `${raw.slice(0, at).trim()}@${domain}`.toLowerCase();
  return domain !== '' && !address.includes('..') && PLAIN.test(address) ? address : undefined;
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** A name that somebody gave, on one line. */
export function plainName(raw: string): string {
  return raw
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, 100);
}

/** What is no address is left out; `count` says how many there were. */
export function readAddresses(value: string, decode: (text: string) => string): { found: Address[]; count: number } {
  const parsed = addressparser(value.slice(0, 20_000), { flatten: true });
  const found = parsed.flatMap(({ name, address }) => {
    const plain = plainAddress(address ?? '');
    return plain === undefined ? [] : [{ name: plainName(decode(name ?? '')), address: plain }];
  });
  return { found, count: parsed.length };
}
