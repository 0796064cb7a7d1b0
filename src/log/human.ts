import { printable } from './printable.ts';

/**
 * A line of the log for a person: local time, level, message, the rest as `name=value`. A runner's lines say `at` and
 * `event` for the same. Other text stays as it is.
 */
export function humanLine(line: string): string {
  const record = parse(line);
  if (!record) return printable(line.trimEnd());
  const { time, level, message, ...fields } = record;
  const at = new Date(String(time));
  const clock = Number.isNaN(at.getTime()) ? String(time) : localTime(at);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`);
  return printable([clock, String(level).toUpperCase().padEnd(5), String(message), ...rest].join(' '));
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    if ('message' in value) return { ...value };
    if (!('event' in value && 'at' in value)) return undefined;
    const { at, event, ...rest } = value;
    return { time: at, level: 'info', message: event, ...rest };
  } catch {
    // Not every line is ours: a sandbox's log is whatever its programs wrote.
    return undefined;
  }
}

function show(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'stack' in value) return String(value.stack);
  return JSON.stringify(value);
}

function localTime(at: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${date} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
