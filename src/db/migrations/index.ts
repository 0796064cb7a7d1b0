import { firstTables } from './0001-first-tables.ts';
import { people } from './0002-people.ts';
import { channels } from './0003-channels.ts';
import { questions } from './0004-questions.ts';
import { drafts } from './0005-drafts.ts';
import { leftChats } from './0006-left-chats.ts';
import { tasks } from './0007-tasks.ts';
import { usage } from './0008-usage.ts';
import { history } from './0009-history.ts';
import { models } from './0010-models.ts';

export interface Migration {
  /** The key: never changed after a release. */
  readonly name: string;
  readonly sql: string;
}

/** In the order in which they are applied, each in a transaction of its own. */
export const migrations: readonly Migration[] = [
  firstTables,
  people,
  channels,
  questions,
  drafts,
  leftChats,
  tasks,
  usage,
  history,
  models,
];
