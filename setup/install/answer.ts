import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOW } from '../../cli/chat-once.ts';
import { pathsFor } from '../../src/paths.ts';
import { run } from './command.ts';
import { StepFailure } from './failure.ts';
import { type Steps, say, sayMeanwhile } from './steps.ts';

/** How the host says that it will try once more: what it says on the way to a reply is no part of it. */
const RETRY = /^⚠️ .+ I'll try again in \d+ (?:seconds|minutes)\.\n/gmu;

const FIRST_MESSAGE = 'What can you do?';

/** The reply is all that is printed on stdout. */
export async function answerMessage(steps: Steps, root: string, message: string): Promise<void> {
  const reply = await send(steps, message);
  writeFileSync(markOf(root), '');
  process.stdout.write(reply);
}

/** That this install has answered once. */
function markOf(root: string): string {
  return join(pathsFor(root).data, 'first-answer');
}

/** Once for an install: asking again would cost its owner money, and tell nothing new. */
export async function answerFirstMessage(steps: Steps, root: string, name: string): Promise<void> {
  const mark = markOf(root);
  if (!existsSync(mark)) {
    const reply = await send(steps, FIRST_MESSAGE);
    writeFileSync(mark, '');
    say(`\n  You:  ${FIRST_MESSAGE}\n  ${name}: ${reply.trimEnd().replaceAll('\n', '\n    ')}`);
  }
  say(`\n  ${name} is there. Talk: bin/ncl chat    Look: bin/ncl status    Stop: bin/ncl stop`);
  say(`  Where it says ncl alone: export PATH="${root}/bin:$PATH"`);
}

function send(steps: Steps, message: string): Promise<string> {
  return steps.run('message', async (log) => {
    // By stdin: the arguments of a process can be read by every user of the machine.
    const { status, stdout, said } = await run(['bin/ncl', 'chat', '-'], log, message, (text) => {
      // It waits for an answer that somebody has to give, at another terminal.
      const shown = text.includes(HOW) ? () => true : isNotice;
      for (const line of text.trimEnd().split('\n').filter(shown)) sayMeanwhile(line);
    });
    const last = stdout.replaceAll(RETRY, '');
    if (status === 0) return { detail: 'answered', value: last };
    const why = last.split('\n').findLast(isNotice) ?? (said.trim() || stdout.trim() || 'No answer came.');
    throw new StepFailure(why, '`bin/ncl logs` says more.');
  });
}

function isNotice(line: string): boolean {
  return line.startsWith('⚠️ ');
}
