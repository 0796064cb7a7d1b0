import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { CREDENTIAL_NAMES } from './credential.ts';
import { StepFailure } from './failure.ts';
import type { StepLog } from './steps.ts';

export interface Outcome {
  status: number;
  stdout: string;
  /** What it printed on stderr. */
  said: string;
}

/** Runs a command of this checkout; what it prints goes to the step's log, and all of it, as it comes, to `heard`. Credentials stay out of its environment. */
export async function run(
  command: readonly string[],
  log: StepLog,
  input = '',
  heard: (text: string) => void = () => undefined,
): Promise<Outcome> {
  const env = { ...process.env };
  for (const name of CREDENTIAL_NAMES) delete env[name];
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env, stdio: 'pipe' });
  // It may have ended before it read anything; its status tells.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  child.stdout.setEncoding('utf8').on('data', heard);
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    heard(chunk);
    log.write(chunk.trimEnd());
  });
  const [stdout, said, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  log.write(stdout);
  return { status, stdout, said };
}

const Refusal = z.object({ error: z.object({ message: z.string(), remedy: z.string() }) });

/** `ncl … --json`, its answer read. Throws StepFailure with what ncl says. */
export async function ncl<T>(args: readonly string[], answer: z.ZodType<T>, log: StepLog): Promise<T> {
  const { status, stdout } = await run(['bin/ncl', ...args, '--json'], log);
  const said = parseJson(stdout);
  const refusal = Refusal.safeParse(said);
  if (refusal.success) throw new StepFailure(refusal.data.error.message, refusal.data.error.remedy);
  const read = answer.safeParse(said);
  // Whatever the status: the doctor's is 1 when it found something.
  if (read.success) return read.data;
  throw new Error(`ncl ${args.join(' ')} ended with status ${status}.`);
}

export function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
