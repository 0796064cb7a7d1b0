import type { DatabaseSync } from 'node:sqlite';
import { asDatabaseError } from '../../src/db/connection.ts';
import { ERRORS, errorText, NanoError } from '../../src/errors.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { Result } from '../view.ts';
import { shortId } from './card.ts';
import type { Claimed, Ending } from './ending.ts';
import { isOpen, nextStatus, type Status } from './states.ts';
import type { Approval, Decision, Option, Table } from './table.ts';

/** One decision: whether it may be made, what is done by it, and what whoever made it is told. */

export interface Choice {
  id: string;
  /** Index of an option; `approve`: the only one that there is besides refusing. */
  option: number | 'approve' | 'deny';
  /** For what is still to be named. */
  name?: string;
}

export interface Decider {
  /** A user id. */
  user: string;
  /** Over the admin socket: whoever may open it owns this install. */
  owns?: boolean;
  /** Where they do it, and so where they would say a name. */
  place?: { channelType: string; platformId: string };
  /** The answer is a message there. */
  isAnswered?: boolean;
}

/** What an allowed action came to. Undone when it isn't ok. */
export type Performed = Result<string> & {
  /** For the chat that asked. */
  say?: string;
  /** After the commit. */
  after?(): void;
};

/** What the approvals of one kind are about. */
export interface Kind {
  kind: string;
  /** Inside the deciding transaction. `action`: the frozen one, of an option that was refused by, too. Reads it, checks again, does it. */
  perform(action: unknown, approval: Approval, by: string, now: number, name?: string): Performed;
  /** What became of it by other means, while nobody decided. */
  overtaken?(approval: Approval): 'approved' | 'denied' | undefined;
}

export interface Decided {
  /** False: nothing was changed by this. */
  ok: boolean;
  text: string;
  /** After the commit. */
  after(): void;
}

export interface DecidingParts {
  db: DatabaseSync;
  table: Table;
  roles: Roles;
  ending: Ending;
  kind(name: string): Kind | undefined;
  log: Logger;
}

export interface Deciding {
  mayDecide(userId: string, approval: Approval): boolean;
  /** Inside a transaction. */
  decide(choice: Choice, by: Decider, now: number): Decided;
}

interface Deed {
  approval: Approval;
  index: number;
  option: Option;
  status: Exclude<Status, 'pending'>;
  by: Decider;
  name: string | undefined;
}

interface Follow {
  text?: string;
  say?: string | undefined;
  after?: (() => void) | undefined;
}

const NOTHING: Performed = { ok: true, data: '' };
const ASK_NAME: Follow = { text: 'What shall it be called? Your next message here is its name.' };

export function createDeciding(parts: DecidingParts): Deciding {
  const { db, table, roles, ending, log } = parts;

  function mayDecide(userId: string, { agentGroupId }: Approval): boolean {
    return agentGroupId === null ? roles.mayAdministerAll(userId) : roles.mayAdminister(userId, agentGroupId);
  }

  function decide(choice: Choice, by: Decider, now: number): Decided {
    const approval = table.get(choice.id);
    if (!approval) return no('There is no such request any more.');
    if (!by.owns && !mayDecide(by.user, approval)) {
      log.info('a decision was not theirs to make', { approval: approval.id, user: by.user });
      return no('You may not decide this: only those who look after the agent may, as things are now.');
    }
    if (isOpen(approval.status) && Date.parse(approval.expires_at) <= now) {
      const claimed = ending.claim(approval, 'expired', { by: 'host', option: null, result: '' }, now);
      return { ...follow(claimed, by, now), ok: false };
    }
    const index = indexOf(choice.option, approval);
    const option = approval.options[index];
    if (!option) return no(whichOf(approval, by));
    const step = option.does === 'name' && choice.name !== undefined ? 'named' : option.does;
    const status = nextStatus(approval.status, step);
    if (status === undefined || status === 'pending') return no(ending.tell(approval, by.user));
    if (status === 'naming' && !isSeen(approval, by)) {
      return no(`This needs a name: ${howTo(approval, index, by)} ${by.owns ? '--name ' : ''}<name>`);
    }
    if (status === 'naming')
      return follow(ending.claim(approval, status, decisionOf(by, index), now), by, now, ASK_NAME);
    const name = option.does === 'name' ? choice.name : undefined;
    return perform({ approval, index, option, status, by, name }, now);
  }

  /** The next words there are the name: not in a chat where they may be meant for somebody else. */
  function isSeen({ id }: Approval, { place }: Decider): boolean {
    return table
      .shown(id)
      .some((card) => card.channelType === place?.channelType && card.platformId === place.platformId);
  }

  function perform(decided: Deed, now: number): Decided {
    const { approval, index, by, name } = decided;
    const { done, claimed } = attempt(decided, now);
    if (done.ok && claimed) return follow(claimed, by, now, { say: done.say, after: done.after });
    const problem = done.ok ? '' : sentenceOf(done);
    // Another name may do: it is asked for until one does.
    if (name !== undefined) return no(`${problem} Say another name.`);
    return { ...follow(ending.claim(approval, 'failed', decisionOf(by, index, problem), now), by, now), ok: false };
  }

  /** What fails is undone with its claim; the database's own troubles undo all of it. */
  function attempt({ approval, index, option, status, by, name }: Deed, now: number) {
    const kind = parts.kind(approval.kind);
    if (!kind)
      return { done: { ok: false, code: 'NC_INTERNAL', detail: `Nothing knows of ${approval.kind}.` } as const };
    db.exec('SAVEPOINT action');
    try {
      const { cards } = ending.claim(approval, status, decisionOf(by, index), now);
      const done = option.action === null ? NOTHING : kind.perform(option.action, approval, by.user, now, name);
      if (done.ok) table.noteResult(approval.id, done.data);
      db.exec(done.ok ? 'RELEASE action' : 'ROLLBACK TO action; RELEASE action');
      const result = done.ok ? done.data : '';
      return {
        done,
        claimed: { cards, approval: { ...approval, status, decided_by: by.user, decision: index, result } },
      };
    } catch (error) {
      db.exec('ROLLBACK TO action; RELEASE action');
      if (asDatabaseError(error) instanceof NanoError) throw error;
      log.error('an allowed action failed', { approval: approval.id, error });
      return { done: { ok: false, code: 'NC_INTERNAL', detail: errorText(error) } as const };
    }
  }

  function follow(claimed: Claimed, by: Decider, now: number, more: Follow = {}): Decided {
    const after = ending.follow(claimed, now, { say: more.say, answeredIn: by.isAnswered ? by.place : undefined });
    return {
      ok: true,
      text: [ending.tell(claimed.approval, by.user), more.text].filter(Boolean).join('\n'),
      after() {
        more.after?.();
        after();
      },
    };
  }

  return { mayDecide, decide };
}

function decisionOf({ user }: Decider, option: number, result = ''): Decision {
  return { by: user, option, result };
}

function no(text: string): Decided {
  return { ok: false, text, after() {} };
}

function indexOf(option: Choice['option'], { options, status, decision }: Approval): number {
  if (typeof option === 'number') return option;
  if (option === 'deny') return options.findIndex(({ does }) => does === 'deny');
  if (status === 'naming') return decision ?? -1;
  const [only, ...others] = options.flatMap(({ does }, index) => (does === 'deny' ? [] : [index]));
  return only === undefined || others.length > 0 ? -1 : only;
}

function howTo({ id }: Approval, index: number, { owns }: Decider): string {
  return `${owns ? 'ncl approvals approve' : '/approve'} ${shortId(id)} ${index + 1}`;
}

function whichOf(approval: Approval, by: Decider): string {
  const lines = approval.options.map(({ label }, index) => `${howTo(approval, index, by)} – ${label}`);
  return ['Which of these?', ...lines].join('\n');
}

function sentenceOf({ code, detail }: { code: keyof typeof ERRORS; detail?: string }): string {
  return [ERRORS[code].sentence, detail].filter(Boolean).join(' ');
}
