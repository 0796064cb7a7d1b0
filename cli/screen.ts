import { writeSync } from 'node:fs';

/** How text has to look. */
export interface Look {
  /** Columns that a line may take; Infinity where nobody looks (a pipe). */
  width: number;
  colour: boolean;
}

/** Where a command's output goes. */
export interface Screen extends Look {
  out(text: string): void;
  err(text: string): void;
}

export function processScreen(): Screen {
  const { stdout, env } = process;
  return {
    width: stdout.isTTY ? stdout.columns || 80 : Number.POSITIVE_INFINITY,
    colour: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    out: (text) => write(1, text),
    err: (text) => write(2, text),
  };
}

/** Synchronous, so that nothing is lost at exit. A reader that went away (`| head`) ends the command quietly. */
function write(descriptor: number, text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      // A pipe that is set non-blocking and full: wait for its reader without burning the processor.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export function paint(look: Look, colour: keyof typeof CODES, text: string): string {
  return look.colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}
