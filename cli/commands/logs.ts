import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NanoError } from '../../src/errors.ts';
import { humanLine, readRecord, text } from '../../src/log/human.ts';
import { pathsFor } from '../../src/paths.ts';
import { type Arguments, type ClientCommand, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { sinceOf } from '../since-flag.ts';
import { allLines, follow, lastLines } from '../tail.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'];

/** Reads files alone: it works as well when the host is down. */
export const logs: ClientCommand = {
  name: 'logs',
  summary: "The host's log, or that of a session's sandbox",
  positionals: [{ name: 'session', description: "a session's id or its beginning: its sandbox's log" }],
  flags: [
    { name: 'follow', short: 'f', description: 'go on as lines are added' },
    {
      name: 'lines',
      short: 'n',
      value: 'count',
      description: 'how many of the last lines, an error with its stack being one; 50 at first',
    },
    { name: 'level', value: 'level', choices: LEVELS, description: 'this level and above' },
    { name: 'since', value: 'time', description: 'no older lines: 30s, 10min, 2h, 1d, or a date with its time' },
    { name: 'about', value: 'text', description: 'lines with this in them: the id of a session, a message, an agent' },
  ],
  place: 'client',
  async run(args, { home, screen, json }) {
    const count = numberOf(args, 'lines', { least: 0, most: 100_000, otherwise: 50 });
    const wanted = filterOf(args);
    const { logs: folder } = pathsFor(home);
    const id = textOf(args, 'session');
    const path = id === undefined ? join(folder, 'nanoclaw.log') : sessionLog(join(folder, 'sessions'), id);
    if (!existsSync(path) && !args.follow) throw new NanoError('NC_NOT_FOUND', `There is no ${path} yet.`);
    const show = (line: string) => screen.out(json ? line : humanLine(line));
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    const isFiltered = args.level !== undefined || args.since !== undefined || args.about !== undefined;
    // Begins to follow before it reads what is there, in the same tick: no line falls between.
    const followed = args.follow ? follow(path, (line) => wanted(line) && show(line), stop.signal) : undefined;
    const last = isFiltered
      ? allLines(path)
          .filter(wanted)
          .slice(count ? -count : Infinity)
      : lastLines(path, count);
    for (const line of last) show(line);
    await followed;
    return 0;
  },
};

function sessionLog(folder: string, id: string): string {
  const names = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.endsWith('.log'));
  const exact = names.filter((name) => name === `${id}.log`);
  const found = exact.length > 0 ? exact : names.filter((name) => name.startsWith(id));
  if (found.length === 0)
    throw new NanoError('NC_NOT_FOUND', `No session that begins with ${JSON.stringify(id)} has a log.`);
  if (found.length > 1) throw new NanoError('NC_AMBIGUOUS', `More than one session begins with ${id}.`);
  return join(folder, String(found[0]));
}

function filterOf(args: Arguments): (line: string) => boolean {
  const level = LEVELS.indexOf(textOf(args, 'level') ?? 'debug');
  const since = sinceOf(args) ?? 0;
  const about = textOf(args, 'about') ?? '';
  let kept = true;
  return (line) => {
    const record = readRecord(line);
    // Text without a level or a time, a stack say, goes with the line before it.
    if (record) kept = LEVELS.indexOf(text(record.level)) >= level && !(Date.parse(text(record.time)) < since);
    return kept && line.includes(about);
  };
}
