import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { NanoError } from '../../src/errors.ts';
import { printable } from '../../src/log/printable.ts';
import { type Arguments, type ClientContext, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { isAsking } from './dialogue.ts';

/** How somebody who sits at this machine becomes known on a channel: by a link, or by a one-time code that they send there. */

const Entrance = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('closed'), sentence: z.string() }),
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('known'), owner: z.object({ id: z.string(), name: z.string() }) }),
  z.object({ kind: z.literal('link'), login: z.string() }),
  z.object({ kind: z.literal('code'), meet: z.string() }),
]);

const MINUTES = 60;
const MOST_MINUTES = 24 * 60;
const LOOK_MS = 200;
const GREETING_MS = 120_000;

export function runPair(args: Arguments, context: ClientContext): Promise<number> {
  const minutes = numberOf(args, 'minutes', { least: 1, most: MOST_MINUTES, otherwise: MINUTES });
  return pair(context, textOf(args, 'account') ?? '', minutes);
}

export async function pair(context: ClientContext, account: string, minutes = MINUTES): Promise<number> {
  const { screen, json } = context;
  const say = (text: string) => screen.err(printable(text));
  const entrance = Entrance.parse((await context.ask('channels enter', { account })).data);
  if (entrance.kind === 'closed') {
    if (json) throw new NanoError('NC_CHANNEL', entrance.sentence);
    say(entrance.sentence);
    return 1;
  }
  if (entrance.kind === 'code') return byCode(context, account, entrance.meet, minutes);
  if (json) screen.out(JSON.stringify(entrance));
  else if (entrance.kind === 'link') {
    say(`Open this in a browser on this machine, within ten minutes; it works once:`);
    screen.out(entrance.login);
    say(`You are its owner there. Another link: ncl channels login ${account}`);
  } else if (entrance.kind === 'known') {
    const { id, name } = entrance.owner;
    say(`${name} (${id}) is the owner there already. A code for somebody else: ncl owner-code`);
  } else say('Nobody is paired there: it is ready.');
  return 0;
}

async function byCode(context: ClientContext, account: string, meet: string, minutes: number): Promise<number> {
  const { screen, json, home } = context;
  const { issueOwnerCode } = await import('../../admin/people/issue-owner-code.ts');
  const { code, agent, expiresAt } = issueOwnerCode(home, undefined, minutes);
  const how = meet.replaceAll('<code>', code);
  if (json) screen.out(JSON.stringify({ kind: 'code', code, agent, expiresAt, meet: how }));
  else {
    screen.err(printable(how));
    screen.err(`Whoever does is the owner there. It works once, within ${minutes} minutes, in a chat with it alone.`);
    if (isAsking()) return waitFor(context, account, code, agent ?? 'the agent');
    screen.out(code);
  }
  return 0;
}

/** Until it was sent and the agent has said its first words there; Ctrl-C leaves it. */
async function waitFor({ screen, home }: ClientContext, account: string, code: string, agent: string): Promise<number> {
  const { watchPairing } = await import('../../admin/people/pairing.ts');
  const say = (text: string) => screen.err(printable(text));
  const again = `\`ncl channels pair ${account}\` makes another code.`;
  using pairing = watchPairing(home, account, code);
  let isLeft = false;
  const leave = () => {
    isLeft = true;
  };
  process.once('SIGINT', leave);
  try {
    say('Waiting for it … (Ctrl-C leaves this for later)');
    let found = pairing.look();
    for (; found.state === 'open' && !isLeft; found = pairing.look()) await setTimeout(LOOK_MS);
    if (found.state === 'open') say(`\nLeft for later: the code stays good, and ${again}`);
    else if (found.state === 'late') say(`Nobody has sent it in time, and it is void now: ${again}`);
    else if (found.state === 'burnt')
      say(`It was used elsewhere, or sent where others could read it, and is void now: ${again}`);
    if (found.state !== 'used') return 1;
    const { id, name } = found.by;
    say(`${name} (${id}) is the owner there now. If that is not you: \`ncl roles revoke ${id} owner\`, and ${again}`);
    const end = performance.now() + GREETING_MS;
    for (; !isLeft && performance.now() < end; await setTimeout(LOOK_MS)) {
      const now = pairing.look();
      if (now.state === 'used' && now.greeted) {
        say(`${agent} has written its welcome there.`);
        return 0;
      }
    }
    say(`${agent} will write there in a while: \`ncl logs -f\` shows what goes on.`);
    return 0;
  } finally {
    process.off('SIGINT', leave);
  }
}
