import { printable } from '../../src/log/printable.ts';
import type { ClientContext } from '../definition.ts';
import { type Account, attach, keep, nameOf, type Tested } from './account.ts';
import { missingFrom, type Values } from './ask-settings.ts';
import { askNext, askSettings } from './dialogue.ts';
import { pair } from './pair.ts';

/** An account, added by somebody who sits there: until it works and they are its owner, or they leave it for later. */
export async function addAsking(context: ClientContext, account: Account, known: Values): Promise<number> {
  const { instance, found } = account;
  const { manifest } = found;
  const say = (text: string) => context.screen.err(printable(text));
  const required = manifest.settings.filter((one) => one.required);
  let values = known;
  let asked = missingFrom(manifest, known);
  let isAnew = false;
  for (;;) {
    const answers = await askSettings(asked, values);
    if (answers.left) {
      // What was answered so far isn't asked for again; what works isn't replaced by a half.
      if (asked.length > 1 && !isAnew) keep(context, instance, answers.values);
      say(`${manifest.title} is left for later: \`ncl channels add ${nameOf(account)}\` takes it up again.`);
      return 1;
    }
    values = answers.values;
    const { ok, sentence, kept } = await connect(context, account, values);
    say(ok ? `${manifest.title}: ${sentence}` : sentence);
    if (ok) return pair(context, instance);
    if (kept) say('Its settings from before work, and stay.');
    const next = await askNext(manifest, kept === true);
    if (next === 'leave') {
      say(
        `It stays as it is: \`ncl channels add ${nameOf(account)}\` takes it up again. \`ncl channels remove ${instance}\` forgets it.`,
      );
      return 1;
    }
    if (next === 'forget') {
      await context.ask('channels remove', { account: instance });
      say(`${manifest.title} is forgotten, with what was given for it.`);
      return 1;
    }
    isAnew = next === 'anew';
    asked = next === 'anew' ? required : [];
  }
}

async function connect(context: ClientContext, account: Account, values: Values): Promise<Tested> {
  context.screen.err(`Connecting ${account.found.manifest.title} …`);
  return (await attach(context, account, values, false)).tested;
}
