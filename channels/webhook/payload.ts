/** What a signed body says. Pure. */

export interface Event {
  name: string;
  payload: unknown;
  /** The payload, written out. */
  text: string;
}

type Headers = Readonly<Record<string, string>>;

const MOST_LEVELS = 32;
const NAME = /^[A-Za-z0-9_][\w.:-]{0,63}$/;

export function readEvent(headers: Headers, body: Buffer): Event | { status: 400 | 415 } {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const isJson = /^application\/([\w.+-]+\+)?json$/.test(type.trim());
  const isText = type.trim() === 'text/plain';
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='));
  const isPlain = /^(identity)?$/i.test(headers['content-encoding'] ?? '');
  const isUtf8 = charset === undefined || /^charset="?(utf-8|us-ascii)"?$/.test(charset);
  if (!(isJson || isText) || !isPlain || !isUtf8) return { status: 415 };
  const text = decode(body);
  if (text === undefined) return { status: 400 };
  if (isText) return { name: 'text', payload: text, text };
  const payload = parse(text);
  if (payload === undefined || isDeep(payload)) return { status: 400 };
  return { name: nameOf(headers, payload), payload, text: JSON.stringify(payload) };
}

function decode(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** Undefined for what is no JSON; JSON has no such value. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, (_name, value: unknown, context?: { source?: string }) => whole(value, context?.source));
  } catch {
    return undefined;
  }
}

/** An id of 64 bits would become another one as a number: it stays as it was written. */
function whole(value: unknown, written: string | undefined): unknown {
  if (typeof value !== 'number' || written === undefined) return value;
  const isExact = Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?\d+$/.test(written));
  return isExact ? value : written;
}

/** Level by level: what is nested a hundred thousand times would end whoever walks it by calling itself. */
function isDeep(payload: unknown): boolean {
  let level: unknown[] = [payload];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) return true;
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
  return false;
}

/** GitHub names its events in a header, which isn't signed, and what was done in the payload. */
function nameOf(headers: Headers, payload: unknown): string {
  const github = word(headers['x-github-event']);
  const said = word(field(payload, github === undefined ? 'type' : 'action'));
  if (github !== undefined) return said === undefined ? github : `${github}.${said}`;
  return said ?? 'event';
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' && NAME.test(value) ? value : undefined;
}

function field(payload: unknown, name: string): unknown {
  return typeof payload === 'object' && payload !== null ? Reflect.get(payload, name) : undefined;
}
