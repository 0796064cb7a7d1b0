import type { DatabaseSync } from 'node:sqlite';
import { localTimezone } from '../../admin/timezone.ts';
import type { Result } from '../../admin/view.ts';
import { quickTransaction } from '../../src/db/group-commit.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Paths } from '../../src/paths.ts';
import { inWords } from '../tasks/words.ts';
import { type Answer, createKeeper } from './keeper.ts';
import type { Place } from './places.ts';
import type { Hit } from './process/find.ts';
import { chatsNamed, createSights } from './sight.ts';
import { momentOf } from './times.ts';
import { readSearch, wordsOf } from './words.ts';

/** What was said, searched: by words, person, chat and time, within what whoever asks may see. */

export interface HistoryParts {
  db: DatabaseSync;
  paths: Pick<Paths, 'db' | 'history'>;
  log: Pick<Logger, 'info' | 'warn'>;
}

/** Who looks: the owner of this install at everything or at one agent, a session at what is for it. */
export type Looking = { agentGroupId?: string | undefined } | { sessionId: string };

export interface Wish {
  words?: string | undefined;
  /** A name or an id; `me`, from an agent, is itself. */
  person?: string | undefined;
  chat?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  limit: number;
}

export interface Found {
  hits: (Omit<Hit, 'at'> & { at: string; when: string })[];
  /** There are older ones. */
  more: boolean;
  /** Nobody of that name has said anything there, whatever the words and times. */
  nobody?: string;
}

export interface History {
  search(wish: Wish, looking: Looking, now: number): Promise<Result<Found>>;
  /** Now and then. */
  look(now: number): void;
  stop(): Promise<void>;
}

/** The index is brought up to date then, if there is much to read or something to forget; a search does it as well. */
const EVERY_MS = 3_600_000;
const MUCH = 5_000;
/** Rows that the index has read of, let go of in one turn of the event loop. */
const FORGET = 500;

export function createHistory({ db, paths, log }: HistoryParts): History {
  const sights = createSights(db);
  const keeper = createKeeper({ central: paths.db, index: paths.history, log });
  const zones = db.prepare(
    'SELECT timezone FROM container_configs JOIN agent_groups g ON g.id = agent_group_id WHERE g.id = ? OR ? IS NULL ORDER BY uid_ordinal LIMIT 1',
  );
  const newest = db.prepare('SELECT max(rowid) AS row FROM messages');
  const change = db.prepare('SELECT 1 FROM history_changes LIMIT 1');
  const forget = db.prepare(
    `DELETE FROM history_changes WHERE seq IN (SELECT seq FROM history_changes WHERE seq <= ? ORDER BY seq LIMIT ${FORGET})`,
  );
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Up to where it was read, at least. */
  let read = 0;
  /** Words of what is gone may still be in the index. */
  let isUntidy = true;
  let isStopped = false;

  function taken(answer: Answer | undefined): void {
    if (answer?.problem !== undefined) log.warn('the index of the history', { problem: answer.problem });
    isUntidy = answer?.isUntidy ?? isUntidy;
    if (answer?.changes) forgetUpTo(answer.changes);
  }

  function forgetUpTo(seq: number): void {
    if (isStopped || !change.get()) return;
    try {
      const { changes } = quickTransaction(db, () => forget.run(seq));
      if (changes === FORGET) setTimeout(forgetUpTo, 20, seq).unref();
    } catch (error) {
      // They are read again at the worst.
      log.warn('what the index has read stays', { error });
    }
  }

  /** Where it is looked for; null: everywhere. */
  function placesOf(looking: Looking, chat: string | undefined): Result<{ zone: string; places: Place[] | null }> {
    if ('sessionId' in looking) {
      const sight = sights.of(looking.sessionId);
      if (!sight) return { ok: false, code: 'NC_NOT_FOUND' };
      const meant =
        chat === undefined
          ? undefined
          : chatsNamed(
              chat,
              sight.chats.map((one) => one.chat),
            );
      if (meant?.length === 0) return noChat();
      const places = sight.chats.filter((one) => meant?.includes(one.chat) ?? true).map(({ place }) => place);
      return { ok: true, data: { zone: sight.timezone, places } };
    }
    const { agentGroupId } = looking;
    const zone = String(zones.get(agentGroupId ?? null, agentGroupId ?? null)?.timezone ?? localTimezone());
    if (chat === undefined) return { ok: true, data: { zone, places: agentGroupId ? [[agentGroupId]] : null } };
    const meant = chatsNamed(chat, sights.chats());
    if (meant.length === 0) return noChat();
    const agents = agentGroupId ? [agentGroupId] : sights.agents();
    const places = meant.flatMap(({ channelType, platformId }) =>
      agents.map((agent): Place => [agent, channelType, platformId]),
    );
    return { ok: true, data: { zone, places } };
  }

  return {
    async search(wish, looking, now) {
      const where = placesOf(looking, wish.chat);
      if (!where.ok) return where;
      const { zone, places } = where.data;
      const wanted = readSearch(wish.words ?? '');
      if (wish.words?.trim() && wanted.length === 0) return usage(`There is no word in “${wish.words.slice(0, 80)}”.`);
      const sender = wish.person === undefined ? undefined : senderOf(wish.person, 'sessionId' in looking);
      if (sender?.length === 0) return usage('That is no name.');
      const [from, to] = [wish.from, wish.to].map((text, index) =>
        text === undefined ? undefined : (momentOf(text, zone, now, index === 1) ?? Number.NaN),
      );
      for (const [text, at] of [
        [wish.from, from],
        [wish.to, to],
      ] as const)
        if (Number.isNaN(at)) return usage(`“${text}” is no time. ${TIMES}`);
      const within = { places, forgotten: !('sessionId' in looking) };
      const answer = await keeper.search({ wanted, sender, from, to, within, limit: wish.limit });
      taken(answer);
      if (answer?.behind) return { ok: false, code: 'NC_BUSY', detail: 'What was said is still being read.' };
      if (!answer?.found)
        return { ok: false, code: 'NC_BUSY', detail: 'The search could not be done, or took too long.' };
      const { hits, more } = answer.found;
      const shown = hits.map(({ at, ...hit }) => ({ ...hit, at: new Date(at).toISOString(), when: inWords(at, zone) }));
      if (shown.length > 0 || sender === undefined || sender === 'agent')
        return { ok: true, data: { hits: shown, more } };
      const any = await keeper.search({ wanted: [], sender, from: undefined, to: undefined, within, limit: 1 });
      const isNobody = any?.found?.hits.length === 0 && !any.found.more;
      return { ok: true, data: { hits: shown, more, ...(isNobody && { nobody: wish.person ?? '' }) } };
    },
    look(now) {
      if (lookedAt === Number.NEGATIVE_INFINITY) lookedAt = now;
      if (now - lookedAt < EVERY_MS && now >= lookedAt) return;
      lookedAt = now;
      const row = Number(newest.get()?.row ?? 0);
      if (row - read < MUCH && !isUntidy && !change.get()) return;
      read = row;
      void keeper.catchUp().then(taken);
    },
    stop() {
      isStopped = true;
      return keeper.stop();
    },
  };
}

const TIMES = 'One is written like 2030-01-31, 2030-01-31 09:00, 2030-01-31T09:00+01:00 or 3 days.';

function noChat(): Result<never> {
  return { ok: false, code: 'NC_NOT_FOUND', detail: 'There is no such chat here, or it can’t be searched from here.' };
}

function usage(detail: string): Result<never> {
  return { ok: false, code: 'NC_USAGE', detail };
}

function senderOf(person: string, isAgent: boolean): string[] | 'agent' {
  if (isAgent && person.trim().toLowerCase() === 'me') return 'agent';
  return wordsOf(person).map(({ word }) => word);
}
