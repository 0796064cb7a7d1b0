import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NanoError } from '../../errors.ts';
import { humanLine } from '../../log/human.ts';
import { pathsFor } from '../../paths.ts';
import { type ClientCommand, hostCommand, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { follow, lastLines } from '../tail.ts';

const session = { name: 'session', description: "a session's id or its beginning: its sandbox's log" };

export const logFile = hostCommand({
  name: 'session-log-file',
  summary: "Where a session's sandbox log is",
  hidden: true,
  positionals: [{ ...session, required: true }],
  handle(view, args) {
    const found = view.sessionLogFile(textOf(args, 'session') ?? '');
    return found.ok ? { ok: true, data: { path: found.data } } : found;
  },
  show: ({ path }) => path,
});

export const logs: ClientCommand = {
  name: 'logs',
  summary: "The host's log, or that of a session's sandbox",
  positionals: [session],
  flags: [
    { name: 'follow', short: 'f', description: 'go on as lines are added' },
    { name: 'lines', short: 'n', value: 'count', description: 'how many of the last lines; 50 at first' },
  ],
  place: 'client',
  async run(args, { home, screen, json, ask }) {
    const count = numberOf(args, 'lines', { least: 0, most: 100_000, otherwise: 50 });
    const id = textOf(args, 'session');
    const sessionLog = async (session: string) => {
      const { LogFile } = await import('../answers.ts');
      return LogFile.parse((await ask('session-log-file', { session })).data).path;
    };
    const path = id ? await sessionLog(id) : join(pathsFor(home).logs, 'nanoclaw.log');
    if (!existsSync(path) && !args.follow) throw new NanoError('NC_NOT_FOUND', `There is no ${path} yet.`);
    const show = (line: string) => screen.out(json ? line : humanLine(line));
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    // Begins to follow before it reads what is there, in the same tick: no line falls between.
    const followed = args.follow ? follow(path, show, stop.signal) : undefined;
    for (const line of lastLines(path, count)) show(line);
    await followed;
    return 0;
  },
};
