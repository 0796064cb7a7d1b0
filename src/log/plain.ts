import { SECRET_NAME } from './redact.ts';

const MAX_DEPTH = 6;
const MAX_ENTRIES = 100;

/** A copy of anything that JSON can hold: errors with their stacks and causes, no cycles, bounded, secrets' fields gone. */
export function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return plain(Object.fromEntries(value), depth);
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].slice(0, MAX_ENTRIES).map((entry) => plain(entry, depth + 1));
  }
  return plainObject(value, depth);
}

export function plainObject(value: object, depth = 0): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  if (value instanceof Error) {
    copy.name = value.name;
    copy.message = value.message;
    copy.stack = value.stack;
    if (value.cause !== undefined) copy.cause = plain(value.cause, depth + 1);
  }
  for (const name of Object.keys(value).slice(0, MAX_ENTRIES)) {
    const entry = read(value, name);
    copy[name] = SECRET_NAME.test(name) && typeof entry === 'string' ? '[redacted]' : plain(entry, depth + 1);
  }
  return copy;
}

function read(value: object, name: string): unknown {
  try {
    return Reflect.get(value, name);
  } catch {
    // A getter of somebody else's object threw: the line says so in place of the value.
    return '[unreadable]';
  }
}
