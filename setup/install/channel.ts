import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { listAvailable } from '../../cli/channels/packages.ts';
import { printable } from '../../src/log/printable.ts';
import { ncl } from './command.ts';
import { StepFailure } from './failure.ts';
import { leftTo } from './interrupt.ts';
import type { Options } from './options.ts';
import { type Steps, say } from './steps.ts';

/** A first platform: the one that was named, or one that somebody chooses who is there to be asked. */

const Added = z.object({ instance: z.string(), ok: z.boolean(), sentence: z.string() });
const Accounts = z.array(z.object({ instance: z.string(), channel: z.string() }));
const Unfinished = z.array(z.object({ instance: z.string(), channel: z.string(), sentence: z.string() }));
const Entrance = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('known') }),
  z.object({ kind: z.literal('link'), login: z.string() }),
  z.object({ kind: z.literal('code'), meet: z.string() }),
]);

const SILENT = { write: () => undefined };
/** Whoever isn't there now reads it later. */
const CODE_MINUTES = 24 * 60;

/** Resolves with whether somebody was told how to come in. */
export async function offerChannel(steps: Steps, root: string, options: Options): Promise<boolean> {
  if (options.yes) return options.channel === undefined ? false : connect(steps, options, options.channel);
  const chosen = options.channel === undefined ? await choose(root) : { channel: options.channel, flags: [] };
  if (!chosen) return false;
  const { channel, flags } = chosen;
  const from = settingsFlag(options);
  // It asks for what it needs by itself, and says what it has to say; stdout is for the agent's reply alone.
  const run = async (...args: string[]) => {
    const [status] = await leftTo(once(spawn(join(root, 'bin/ncl'), args, { stdio: ['inherit', 2, 2] }), 'close'));
    return status === 0;
  };
  const added = await run('channels', 'add', channel, ...flags, ...from);
  if (added && from.length > 0) await run('channels', 'pair', channel);
  return true;
}

/** Without a terminal: what was given has to do. */
async function connect(steps: Steps, options: Options, channel: string): Promise<boolean> {
  const entrance = await steps.run('channel', async (log) => {
    const { instance, ok, sentence } = await ncl(
      ['channels', 'add', channel, ...settingsFlag(options)],
      Added,
      log,
    ).catch(inOurWords);
    if (!ok) {
      throw new StepFailure(sentence, 'Mend that and run this again; all else is set up, and the host goes on trying.');
    }
    const found = await ncl(['channels', 'pair', instance, `--minutes=${CODE_MINUTES}`], Entrance, SILENT);
    return { detail: printable(`${channel}: ${sentence}`), value: { instance, ...found } };
  });
  if (entrance.kind === 'code')
    say(
      `    ${printable(entrance.meet)}\n    Whoever does within a day is its owner there. Another code: bin/ncl channels pair ${entrance.instance}`,
    );
  if (entrance.kind === 'link') {
    say(`    Open this in a browser on this machine, once and within ten minutes: ${entrance.login}`);
    say(`    You are its owner there. Another link: bin/ncl channels login ${entrance.instance}`);
  }
  return entrance.kind === 'code' || entrance.kind === 'link';
}

/** The setup has an option of its own for what `ncl channels add` is given. */
function inOurWords(error: unknown): never {
  if (!(error instanceof StepFailure)) throw error;
  throw new StepFailure(error.message, error.remedy.replace(/--from <file>.*?(?=\.|$)/, '--channel-settings <file>'));
}

function settingsFlag({ channelSettings }: Options): string[] {
  if (channelSettings === undefined) return [];
  return ['--from', resolve(process.env.NANOCLAW_SETUP_CWD ?? '.', channelSettings)];
}

interface Chosen {
  channel: string;
  flags: string[];
}

/** What an earlier setup left open comes first; where there is an account already, nothing is asked. */
async function choose(root: string): Promise<Chosen | undefined> {
  const { askChannel, askToGoOn } = await import('./questions.ts');
  for (const { instance, channel, sentence } of await ncl(['channels', 'unfinished'], Unfinished, SILENT)) {
    if (await askToGoOn(instance, sentence)) return { channel, flags: ['--as', instance] };
  }
  if ((await ncl(['channels', 'list'], Accounts, SILENT)).length > 0) return undefined;
  const found = await listAvailable(root);
  const channel = found.length === 0 ? undefined : await askChannel(found);
  return channel === undefined ? undefined : { channel, flags: [] };
}
