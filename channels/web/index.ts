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
    // An account that was just taken into use is on its way.
    for (let tries = 0; tries < TRIES; tries += 1) {
      const origin = originIn(folder);
      if (origin !== undefined && (await answers(origin))) return { ok: true, sentence: `The page is at ${origin}.` };
      await setTimeout(PAUSE_MS);
    }
    const origin = originIn(folder);
    return origin === undefined
      ? { ok: true, sentence: 'It needs no credentials; the page opens with the host.' }
      : { ok: false, sentence: `The page does not answer at ${origin}. Does the host run?` };
  },
};

const TRIES = 15;
const PAUSE_MS = 200;

function originIn(folder: string): string | undefined {
  const db = openStore(folder);
  const origin = readFact(db, 'origin');
  db.close();
  return origin;
}

async function answers(origin: string): Promise<boolean> {
  return fetch(origin, { signal: AbortSignal.timeout(2_000) }).then(
    ({ status }) => status === 200,
    () => false,
  );
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
