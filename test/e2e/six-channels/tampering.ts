import type { DatabaseSync } from 'node:sqlite';
import type { Said } from './lane.ts';
import { compare, type Written } from './ledger.ts';

/** What a platform would show if something had gone wrong: the ledger is worth something only if it says so. */
const TAMPERINGS: Readonly<Record<string, (said: readonly Said[]) => Said[]>> = {
  // It may stand there a second time, marked.
  lost: (said) => said.filter(({ text }) => !text.includes(markerOf(said[0]))),
  doubled: (said) => [...said, ...said.slice(0, 1)],
  'in another thread': ([first, ...rest]) => (first ? [{ ...first, thread: 'elsewhere' }, ...rest] : []),
  'in another chat': ([first, ...rest]) => (first ? [{ ...first, chat: 'elsewhere' }, ...rest] : []),
  'in another order': (said) => said.toReversed(),
  'marked for no reason': (said) => said.map((one) => ({ ...one, text: `(possibly a repeat)\n${one.text}` })),
};

function markerOf(said: Said | undefined): string {
  return /m\d+e/.exec(said?.text ?? '')?.[0] ?? '';
}

/** The names of those that the ledger does not notice, by channel. */
export async function unnoticed(db: DatabaseSync, written: readonly Written[]): Promise<string[]> {
  const missed: string[] = [];
  for (const lane of new Set(written.map((one) => one.lane))) {
    const own = written.filter((one) => one.lane === lane);
    for (const [name, change] of Object.entries(TAMPERINGS)) {
      const other = { ...lane, said: async () => change(await lane.said()) };
      const { problems } = await compare(
        db,
        own.map((one) => ({ ...one, lane: other })),
      );
      if (problems.length === 0) missed.push(`${lane.account.instance}: ${name}`);
    }
  }
  return missed;
}
