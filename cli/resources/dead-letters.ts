import type { DeadLetter } from '../../admin/dead-letters.ts';
import type { HostView, Result } from '../../admin/view.ts';
import { type Arguments, type Call, type Command, hostCommand, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { table } from '../table.ts';
import { ago, shown } from './resource.ts';

/** Messages that could not be delivered: the owner's business alone. */

const LIMIT = 50;
const SHOWN_TEXT = 60;

const list = hostCommand<{ letters: DeadLetter[]; total: number }>({
  name: 'dead-letters list',
  summary: 'What could not be delivered, the newest first',
  flags: [{ name: 'limit', short: 'n', value: 'count', description: `how many; ${LIMIT} at first` }],
  handle(view, args) {
    const limit = numberOf(args, 'limit', { least: 1, most: 100_000, otherwise: LIMIT });
    const { deliveries } = view.channels;
    return { ok: true, data: { letters: deliveries.deadLetters(limit), total: deliveries.countDead() } };
  },
  show: ({ letters }, look) =>
    letters.length === 0
      ? 'Everything could be delivered.'
      : table(
          ['ID', 'CHAT', 'WHEN', 'WHY', 'TEXT'],
          letters.map(({ id, channelType, platformId, at, error, text }) => [
            id,
            `${channelType}/${platformId}`,
            ago(at),
            shown(error),
            text.slice(0, SHOWN_TEXT),
          ]),
          look,
        ),
  data: ({ letters }) => letters,
  note: ({ letters, total }) =>
    total > letters.length ? `… and ${total - letters.length} more: --limit ${total} shows all.` : undefined,
});

const id = { name: 'id', description: 'of `ncl dead-letters list`; all of them: all', required: true } as const;

const retry = hostCommand<{ count: number }>({
  name: 'dead-letters retry',
  summary: 'Send it again, from where it broke off',
  positionals: [id],
  handle: (view, args, call) =>
    each(view, args, call, 'retried', (one) => view.channels.deliveries.revive(one, call.now), true),
  show: ({ count }) => `${count === 1 ? 'It is' : `${count} are`} on the way again.`,
});

const drop = hostCommand<{ count: number }>({
  name: 'dead-letters drop',
  summary: 'Put it away: it is shown no more, and stays in the history',
  positionals: [id],
  handle: (view, args, call) =>
    each(view, args, call, 'dropped', (one) => view.channels.deliveries.putAway(one, call.now), false),
  show: ({ count }) => `${count === 1 ? 'It is' : `${count} are`} put away.`,
});

function each(
  { channels }: HostView,
  args: Arguments,
  { by, now }: Call,
  done: 'retried' | 'dropped',
  work: (id: string) => boolean,
  isSent: boolean,
): Result<{ count: number }> {
  const given = textOf(args, 'id') ?? '';
  const ids =
    given === 'all'
      ? channels.deliveries
          .deadLetters(100_000)
          .map((letter) => letter.id)
          .reverse()
      : [given];
  const changed = channels.change(by, now, (note) => {
    const taken = ids.filter(work);
    for (const subject of taken) note({ action: `dead-letter.${done}`, subject });
    return taken.length === 0 && given !== 'all'
      ? { ok: false, code: 'NC_NOT_FOUND', detail: 'There is no such dead letter.' }
      : { ok: true, data: taken };
  });
  if (!changed.ok) return changed;
  if (isSent) channels.deliver(changed.data);
  return { ok: true, data: { count: changed.data.length } };
}

export const deadLetters: readonly Command[] = [list, retry, drop];
