import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { listAvailable } from '../../cli/channels/packages.ts';
import { StepFailure } from './failure.ts';
import type { Options } from './options.ts';
import { say } from './steps.ts';

/**
 * Connects a first platform: the one that was named, or one that somebody chooses who is there to be asked. Left out, it
 * can be done at any time by `ncl channels add`. Resolves with whether one was added.
 */
export async function offerChannel(root: string, options: Options, ask: boolean): Promise<boolean> {
  const { channel, channelSettings } = options;
  const wanted = channel ?? (ask ? await choose(root) : undefined);
  if (wanted === undefined) return false;
  const from =
    channelSettings === undefined ? [] : ['--from', resolve(process.env.NANOCLAW_SETUP_CWD ?? '.', channelSettings)];
  // It asks for what it needs by itself; stdout is for the agent's reply alone.
  const child = spawn(join(root, 'bin/ncl'), ['channels', 'add', wanted, ...from], { stdio: ['inherit', 2, 2] });
  const [status] = await once(child, 'close');
  if (status === 0) {
    say(`    Its chats: bin/ncl channels chats ${wanted}`);
    return true;
  }
  const remedy = `\`bin/ncl channels add ${wanted}\` takes it up again; all else is set up.`;
  if (channel !== undefined) throw new StepFailure(`${wanted} could not be connected.`, remedy);
  say(`    ${wanted} is not connected: ${remedy}`);
  return false;
}

async function choose(root: string): Promise<string | undefined> {
  const found = await listAvailable(root);
  return found.length === 0
    ? undefined
    : (await import('./questions.ts')).askChannel(found.map(({ manifest }) => manifest));
}
