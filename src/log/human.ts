import { printable } from './printable.ts';

const MAX_DEPTH = 32;

/**
 * A line of the log for a person: local time, level, message, the rest as `name=value`. A runner's lines say
 * `event` for their message. Other text stays as it is.
 */
export function humanLine(line: string): string {
  const record = readRecord(line);
  if (!record) return printable(line.trimEnd());
  const { time, level, message, ...fields } = record;
  const shown = [localTime(text(time)), text(level).toUpperCase().padEnd(5), text(message), showFields(fields)];
  return printable(shown.join(' ').trimEnd());
}

/** `name=value`, one after the other. */
export function showFields(fields: object): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => (value === undefined || value === null ? [] : `${name}=${show(value)}`))
    .join(' ');
}

/** Anything may stand in a sandbox's log: what is no text must not be asked to become some in its own way. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** A line of the host's or of a runner's as `time`, `level`, `message` and the rest; undefined for other text. */
export function readRecord(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || isDeep(value, MAX_DEPTH)) return undefined;
    if ('message' in value) return { ...value };
    if (!('event' in value && 'time' in value)) return undefined;
    const { event, ...rest } = value;
    return { level: 'info', message: event, ...rest };
  } catch {
    // Not every line is ours: a sandbox's log is whatever its programs wrote.
    return undefined;
  }
}

/** Written out again, it would use up the stack. */
function isDeep(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((inner) => isDeep(inner, left - 1));
}

function show(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'stack' in value) return text(value.stack);
  return JSON.stringify(value);
}

/** On the clock of whoever looks; what is no time stays as it is. */
export function localTime(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const two = (number: number) => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${day} ${clock}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
