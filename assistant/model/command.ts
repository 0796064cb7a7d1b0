import type { Directory } from '../../admin/directory/index.ts';
import { modelProblem } from '../../admin/directory/model.ts';
import type { Session } from '../../src/db/sessions.ts';
import { ERRORS } from '../../src/errors.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { CommandContext } from '../../src/router.ts';
import type { Wiring } from '../../src/routing/session-key.ts';
import type { Models } from './index.ts';
import { inForceLine, readModelWish } from './words.ts';

/** `/model`: what a conversation runs with, shown to whoever may talk there, changed by those who may administer the agent. */

export interface ModelCommandParts {
  models: Models;
  roles: Pick<Roles, 'mayAdminister'>;
  directory: Pick<Directory, 'updateSession'>;
}

/** Inside a transaction. `session`: the conversation, where there is one; `ensure` makes it. */
export type ModelCommand = (
  wiring: Wiring,
  context: Pick<CommandContext, 'event' | 'now' | 'wirings'>,
  session: Session | undefined,
  ensure: () => Session,
) => string;

export function createModelCommand({ models, roles, directory }: ModelCommandParts): ModelCommand {
  return (wiring, { event, now, wirings }, session, ensure) => {
    const { agentGroupId: id, assistantName: agent } = wiring;
    const names = wirings.map(({ assistantName }) => assistantName);
    const wish = readModelWish(event.text, names);
    const show = (sessionId: string | undefined) => inForceLine(models.inForce(id, sessionId), agent);
    const mayChange = roles.mayAdminister(event.senderId, id);
    if (wish.ask === 'show') {
      const how = ' Change it here with /model and a name, /model effort and a level, or /model default.';
      return `${show(session?.id)}${mayChange ? how : ''}`;
    }
    if (!mayChange) return `What I run with costs somebody money: only admins of ${agent} may change it.`;
    if (wish.ask === 'unclear') return wish.why;
    // Before a conversation is made for it.
    const problem = modelProblem(wish.changes);
    if (problem) return problem;
    const isReset = Object.values(wish.changes).every((value) => value === null);
    if (isReset && !session) return `Nothing was set for this conversation. ${show(undefined)}`;
    const own = session ?? ensure();
    const done = directory.updateSession(own.id, wish.changes, { actor: event.senderId, scope: null }, now);
    if (!done.ok) return done.detail ?? ERRORS[done.code].sentence;
    return `From the next message on, in this conversation: ${show(own.id)}`;
  };
}
