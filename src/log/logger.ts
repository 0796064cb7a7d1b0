import { join } from 'node:path';
import { humanLine } from './human.ts';
import { plainObject } from './plain.ts';
import { createRedactor } from './redact.ts';
import { createRotatingFile, tellStderr } from './rotating-file.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, unknown>;

/** Nothing here throws or waits. `time`, `level` and `message` can't be set by fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log; these fields on each of its lines. */
  child(fields: LogFields): Logger;
  /** Text without the secrets that this log knows, for elsewhere. */
  redact(text: string): string;
  /** Writes what waits. Later lines are still written, one by one. */
  close(): void;
}

export interface LoggerOptions {
  folder: string;
  /** The lowest level that is kept; `info` by default. */
  level?: Level;
  /** Asked for at each line. */
  secrets: () => readonly string[];
  /** Size at which a file is rotated, in bytes; 10 MB by default. */
  maxBytes?: number;
  /** Rotated files that are kept; 5 by default. */
  keep?: number;
  /** Also on stderr, for a host in the foreground. */
  stderr?: boolean;
}

const ORDER: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const FLUSH_MS = 100;
/** One line; what is longer loses its fields. */
const MAX_LINE = 64 * 1024;

/** JSON lines in `nanoclaw.log`, those from `warn` up also in `nanoclaw.error.log`. Errors are on disk at once. */
export function createLogger(options: LoggerOptions): Logger {
  const { folder, level: lowest = 'info', maxBytes = 10 * 1024 * 1024, keep = 5 } = options;
  const redact = createRedactor(options.secrets);
  const all = createRotatingFile(join(folder, 'nanoclaw.log'), maxBytes, keep);
  const bad = createRotatingFile(join(folder, 'nanoclaw.error.log'), maxBytes, keep);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    all.flush();
    bad.flush();
  }

  function write(level: Level, message: string, fields: LogFields): void {
    if (ORDER[level] < ORDER[lowest]) return;
    const line = `${lineOf(level, message, fields)}\n`;
    all.append(line);
    if (ORDER[level] >= ORDER.warn) bad.append(line);
    if (options.stderr) tellStderr(`${humanLine(line)}\n`);
    if (closed || level === 'error') flush();
    else timer ??= setTimeout(flush, FLUSH_MS).unref();
  }

  function lineOf(level: Level, message: string, fields: LogFields): string {
    const core = { time: new Date().toISOString(), level, message };
    const whole = redact(JSON.stringify({ ...core, ...plainObject(fields), ...core }));
    if (whole.length <= MAX_LINE) return whole;
    return JSON.stringify({ ...core, message: redact(message).slice(0, MAX_LINE / 2), shortenedFrom: whole.length });
  }

  function loggerWith(base: LogFields): Logger {
    const at = (level: Level) => (message: string, fields?: LogFields) => write(level, message, { ...base, ...fields });
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => loggerWith({ ...base, ...fields }),
      redact,
      close() {
        closed = true;
        process.off('exit', flush);
        flush();
        all.close();
        bad.close();
      },
    };
  }

  process.on('exit', flush);
  return loggerWith({});
}
