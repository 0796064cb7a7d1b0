import { join } from 'node:path';
import { readRecord, text } from '../../src/log/human.ts';
import { allLines } from '../tail.ts';
import type { Step, Stored } from './stored.ts';

/** What the logs say of a message: the host's, and that of its session's sandbox, where anything may stand. */

/** Of a sandbox, which may write what it likes: so many of its newest lines. */
const AGENT_LINES = 1_000;
/** Of text that is no record, a crash's last words say: so many of the newest lines, and so much of each. */
const LOOSE_LINES = 40;
const LINE_LENGTH = 500;
const MESSAGE_ID = /\b(?:msg|sys|note)-[0-9a-z]{15,}|\bsess-[0-9a-z]+\.\w/;

export function readLogged(logs: string, { about, steps }: Stored): Step[] {
  const session = String(about.session);
  const ids = [...new Set(steps.map(({ fields }) => String(fields.messageId)))];
  const isOpen = about.status === 'pending' || steps.some(({ what }) => /^delivery (queued|sending)$/.test(what));
  const from = steps[0]?.at ?? '';
  const to = isOpen ? '9999' : (steps.at(-1)?.at ?? '');

  function read(file: string, who: string): Step[] {
    let last = '';
    return allLines(join(logs, file), from).flatMap((line) => {
      const loose: Record<string, unknown> =
        who === 'agent' ? { message: 'output', line: line.slice(0, LINE_LENGTH) } : {};
      const {
        time = last,
        level: _level,
        message,
        session: _session,
        agent: _agent,
        ...fields
      } = readRecord(line) ?? loose;
      const at = text(time);
      last = at;
      // What happened to its session, or to the host, while it was open.
      const here = who === 'agent' || line.includes(session) || !line.includes('"session":');
      const isNear = here && at >= from && at <= to && !MESSAGE_ID.test(line);
      if (!isNear && !ids.some((id) => line.includes(id))) return [];
      const what = text(message);
      return { at, who: who === 'host' && /^(sent$|delivery )/.test(what) ? 'channel' : who, what, fields };
    });
  }

  const agent = read(`sessions/${session}.log`, 'agent').slice(-AGENT_LINES);
  const output = new Set(agent.filter(({ what }) => what === 'output').slice(0, -LOOSE_LINES));
  return [...read('nanoclaw.log', 'host'), ...agent.filter((step) => !output.has(step))];
}
