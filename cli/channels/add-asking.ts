import { printable } from '../../src/log/printable.ts';
import type { ClientContext } from '../definition.ts';
import { type Account, attach, keep, type Tested } from './account.ts';
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
  for (;;) {
    const answers = await askSettings(asked, values);
    // What was answered so far isn't asked for again.
    if (!answers.left || asked.length > 1) keep(context, instance, answers.values);
    if (answers.left) {
      say(`${manifest.title} is left for later: \`ncl channels add ${nameOf(account)}\` takes it up again.`);
      return 1;
    }
    values = answers.values;
    const { ok, sentence } = await connect(context, account);
    say(ok ? `${manifest.title}: ${sentence}` : sentence);
    if (ok) return pair(context, instance);
    const next = await askNext(manifest);
    if (next === 'leave') {
      say(`It stays as it is: \`ncl channels add ${nameOf(account)}\` takes it up again.`);
      return 1;
    }
    asked = next === 'anew' ? required : [];
  }
}

async function connect(context: ClientContext, account: Account): Promise<Tested> {
  context.screen.err(`Connecting ${account.found.manifest.title} …`);
  return (await attach(context, account, false)).tested;
}

function nameOf({ instance, found, source }: Account): string {
  const { name } = found.manifest;
  return instance === name ? (source ?? name) : `${source ?? name} --as ${instance}`;
}
