import { isoTime } from '@nanoclaw/protocol';

/** One JSON line an event on stdout, which the host keeps. Ids and figures only: never what people wrote. */
export type Log = (level: 'info' | 'warn' | 'error', event: string, fields?: Record<string, unknown>) => void;

export const logToStdout: Log = (level, event, fields = {}) => {
  process.stdout.write(`${JSON.stringify({ time: isoTime(Date.now()), level, event, ...fields })}\n`);
};

/** The message of whatever was thrown, short enough for a line and for an acknowledgement. */
export function errorText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 2000);
}
