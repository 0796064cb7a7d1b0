import { setTimeout } from 'node:timers/promises';
import type { ChannelContext, ChannelPlugin } from '../../src/channels/plugin.ts';
import { NanoError } from '../../src/errors.ts';
import { createWeb } from './adapter.ts';
import { MANIFEST } from './manifest.ts';
import { readSettings } from './settings.ts';
import { openStore, readFact } from './store/database.ts';
import { isUser, makeLoginLink, USER_RULE } from './store/logins.ts';

export const plugin: ChannelPlugin = {
  manifest: MANIFEST,
  create: (context) => createWeb(context, readSettings(context.settings)),
  login: async (context, user) => createLoginLink(context, user),
  async test({ settings, folder }) {
    readSettings(settings);
    const db = openStore(folder);
    const origin = readFact(db, 'origin');
    db.close();
    if (origin === undefined) return { ok: true, sentence: 'It needs no credentials; the page opens with the host.' };
    return (await answers(origin))
      ? { ok: true, sentence: `The page is at ${origin}.` }
      : { ok: false, sentence: `The page does not answer at ${origin}. Does the host run?` };
  },
};

/** An account that was just taken into use is on its way. */
async function answers(origin: string): Promise<boolean> {
  for (let tries = 0; tries < 10; tries += 1) {
    const status = await fetch(origin, { signal: AbortSignal.timeout(2_000) }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return true;
    await setTimeout(200);
  }
  return false;
}

/** A link that opens the page as this user, once. Throws NC_USAGE for what is no user name. */
export function createLoginLink({ folder }: Pick<ChannelContext, 'folder'>, user = 'owner', now = Date.now()): string {
  if (!isUser(user)) throw new NanoError('NC_USAGE', USER_RULE);
  const db = openStore(folder);
  try {
    return makeLoginLink(db, user, now);
  } finally {
    db.close();
  }
}
