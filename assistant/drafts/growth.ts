import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import type { Deliveries } from '../../src/db/deliveries.ts';
import { quickTransaction } from '../../src/db/group-commit.ts';
import type { DeliveryQueue, Turn } from '../../src/delivery/index.ts';
import type { Grown } from '../../src/drafting.ts';
import type { Logger } from '../../src/log/index.ts';
import { draftMessage } from './message.ts';
import type { Store } from './store.ts';

/** Lets a draft grow where it stands: the newest text only, at a reader's pace, and when nothing else has to be said. */

/** Between two looks of a reader's. */
const EVERY_MS = 1_500;
const SAME = { status: 'sent' } as const;

interface Growing extends Grown {
  /** The text that the chat was last shown, and what of it stands there. */
  shown: string;
  stands: string;
  /** Not before, in monotonic ms. */
  due: number;
  /** `refused`: the platform doesn't change it any more. */
  waits: NodeJS.Timeout | 'queued' | 'refused' | undefined;
}

export interface GrowthParts {
  db: DatabaseSync;
  deliveries: Deliveries;
  store: Store;
  between: DeliveryQueue['between'];
  log: Logger;
}

export interface Growth {
  newest(grown: Grown): void;
  /** It is finished, or closed. Returns its newest text, whether that was shown or not. */
  forget(id: string): string | undefined;
}

export function createGrowth({ db, deliveries, store, between, log }: GrowthParts): Growth {
  const all = new Map<string, Growing>();

  function arm(growing: Growing): void {
    if (growing.waits !== undefined) return;
    const timer = setTimeout(
      () => {
        growing.waits = 'queued';
        between(growing.place, (turn) => grow(growing, turn));
      },
      Math.max(0, growing.due - performance.now()),
    );
    timer.unref();
    growing.waits = timer;
  }

  async function grow(growing: Growing, turn: Turn): Promise<void> {
    const rest = await edit(growing, growing.text, turn).catch((error: unknown) => {
      log.warn('a draft did not grow', { messageId: growing.id, error });
      return EVERY_MS;
    });
    growing.waits = rest === 'refused' ? rest : undefined;
    if (rest === 'refused') return;
    growing.due = performance.now() + rest;
    // Meanwhile it has become longer, or this was no time for it.
    if (all.has(growing.id) && growing.text !== growing.shown) arm(growing);
  }

  /** How long it then rests, in ms. */
  async function edit(growing: Growing, text: string, turn: Turn): Promise<number | 'refused'> {
    const { adapter, isBusy, hasRoom, call } = turn;
    const { id } = growing;
    // It may have been told of after its end.
    if (!store.isOpen(id)) all.delete(id);
    const edits = all.has(id) ? deliveries.sentAs(id) : undefined;
    if (!adapter || edits === undefined) return 'refused';
    const message = draftMessage(adapter, { ...growing, text, id: `${id}.${Date.now()}` });
    // Beyond what one message takes nothing is to be seen.
    const isSame = message.text === growing.stands;
    if (!isSame && (isBusy || !hasRoom())) return EVERY_MS;
    faultPoint('draft.growing');
    const result = isSame ? SAME : await call({ ...message, edits });
    if (result.status === 'failed' && !result.retryable) return 'refused';
    if (result.status !== 'sent') return Math.max(EVERY_MS, 'retryAfterMs' in result ? (result.retryAfterMs ?? 0) : 0);
    growing.shown = text;
    growing.stands = message.text;
    quickTransaction(db, () => store.keep(id, text));
    return EVERY_MS;
  }

  return {
    newest(grown) {
      const growing = all.get(grown.id) ?? {
        ...grown,
        shown: '',
        stands: '',
        due: performance.now() + EVERY_MS,
        waits: undefined,
      };
      growing.text = grown.text;
      all.set(grown.id, growing);
      arm(growing);
    },
    forget(id) {
      const { waits, text } = all.get(id) ?? {};
      if (typeof waits === 'object') clearTimeout(waits);
      all.delete(id);
      return text;
    },
  };
}
