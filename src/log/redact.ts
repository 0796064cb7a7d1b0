const MARK = '[redacted]';
/** Shorter ones would blacken ordinary words. */
const MIN_SECRET_LENGTH = 8;

/** What looks like a credential, whoever it belongs to. No word boundary in front: in JSON an escaped newline ends in "n". */
const SHAPES = [
  String.raw`sk-[a-z]+-[\w-]{8,}`,
  String.raw`(?:Bearer|Basic)\s+[\w.~+/=-]{20,}`,
  String.raw`xox[a-z]-[\w-]{8,}`,
  String.raw`xapp-[\w-]{8,}`,
  String.raw`(?:gh[pousr]_|github_pat_|glpat-|npm_)\w{20,}`,
  `AKIA[A-Z0-9]{16}`,
  String.raw`AIza[\w-]{35}`,
  `-----BEGIN [A-Z ]*PRIVATE KEY-----`,
  String.raw`\d{6,12}:[\w-]{30,}`,
].join('|');

/** Names of fields and headers whose text is a secret, whatever it looks like. */
export const SECRET_NAME = /^((proxy-)?authorization|(set-)?cookie|.*(password|secret|token|api[-_]?key))$/i;

/**
 * Blackens known secrets, in each form in which they get around, and what looks like one. The list is asked for at each
 * use, since a secret may be added while the host runs; the pattern is made again only when it changed.
 */
export function createRedactor(secrets: () => readonly string[]): (text: string) => string {
  let known: readonly string[] = [];
  let pattern = patternFor(known);
  return (text) => {
    const now = secrets();
    if (now.length !== known.length || now.some((secret, index) => secret !== known[index])) {
      known = [...now];
      pattern = patternFor(known);
    }
    return text.replace(pattern, MARK);
  };
}

function patternFor(secrets: readonly string[]): RegExp {
  const forms = new Set(secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH).flatMap(formsOf));
  const literal = [...forms]
    .sort((a, b) => b.length - a.length)
    .map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp([...literal, `(?i:${SHAPES})`].join('|'), 'g');
}

function formsOf(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  const encoded = encodeURIComponent(secret.toWellFormed());
  const lower = encoded.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  return [secret, escaped, JSON.stringify(escaped).slice(1, -1), encoded, lower, ...base64Forms(secret)];
}

/** Base64 of a secret that may stand inside a longer text: the part that is the same whatever surrounds it. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor((shifted.length * 8) / 6);
    return (['base64', 'base64url'] as const).map((coding) => shifted.toString(coding).slice(first, last));
  });
}
