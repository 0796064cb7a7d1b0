import { createRequire } from 'node:module';
import { z } from 'zod';
import type { By } from '../admin/directory/index.ts';
import type { Caller, HostView, Result } from '../admin/view.ts';
import { checkArguments, type Own } from './arguments.ts';
import { describeRequest } from './asked.ts';
import type { Answering, Arguments, Call, Command, HostCommand } from './definition.ts';
import { lookupOf } from './lookup/index.ts';
import type { RefKind } from './lookup/kinds.ts';
import type { Look } from './screen.ts';

/**
 * One command of `ncl` on the host, whoever asks: the admin socket for the owner, the sandbox door for an agent.
 *
 * Checks the arguments again, makes exact ids of what they name (of what the caller may see), and answers. For an agent, a
 * change is only tried, and becomes an approval of kind `ncl`: the answer then has `pending`.
 * NC_USAGE, NC_FORBIDDEN, NC_NOT_FOUND, NC_AMBIGUOUS, or the command's own codes. Throws what nobody expected.
 */
export async function dispatch(
  view: HostView,
  caller: Caller,
  name: string,
  args: Arguments,
  look?: Look,
): Promise<Answering> {
  const { commands } = await import('./commands/index.ts');
  const prepared = prepare(view, caller, commands, name, args);
  if (!prepared.ok) return prepared;
  const { command, exact } = prepared.data;
  const call: Call = { caller, by: byOf(atMost(caller, command)), now: Date.now(), look };
  if (command.agents !== 'change') return command.answer(view, exact, call);
  const remark = await command.ready?.(exact);
  if (caller.kind === 'agent') return ask(view, caller, command, exact, call);
  const answer = command.answer(view, exact, call);
  // What it leads to (a folder, a sandbox that ends) is there when it is told.
  await view.directory.settled();
  return remark === undefined ? answer : withRemark(answer, remark);
}

/** What an approval of kind `ncl` freezes. */
export type FrozenCommand = z.infer<typeof FrozenCommand>;
const FrozenCommand = z.strictObject({
  command: z.string(),
  /** With exact ids. */
  args: z.record(z.string(), z.union([z.string(), z.literal(true)])),
  agentGroupId: z.string(),
  sessionId: z.string(),
  speakers: z.array(z.string()),
});

/** Runs an allowed one inside the deciding transaction, under the scope that the agent has then. The text is for a chat. */
export function performFrozen(
  view: HostView,
  action: unknown,
  approval: { id: string; decidedBy: string },
  now: number,
): Result<string> {
  const { command: name, args, ...asker } = FrozenCommand.parse(action);
  const scope = view.scopeOf(asker.agentGroupId, asker.speakers);
  if (!scope) return { ok: false, code: 'NC_FORBIDDEN', detail: 'The agent has no ncl any more.' };
  const caller = { kind: 'agent', scope, ...asker } as const;
  const prepared = prepare(view, caller, loadNow(), name, args);
  if (!prepared.ok) return prepared;
  const { command, exact } = prepared.data;
  if (command.agents !== 'change') return { ok: false, code: 'NC_FORBIDDEN', detail: 'It is no change.' };
  const by = { ...byOf(caller), detail: { approval: approval.id, allowedBy: approval.decidedBy } };
  const answer = command.answer(view, exact, { caller, by, now, look: PLAIN });
  return answer.ok ? { ok: true, data: answer.data.text ?? '' } : answer;
}

const PLAIN: Look = { width: Number.POSITIVE_INFINITY, colour: false };
const require = createRequire(import.meta.url);

/** A decision doesn't wait: the commands are loaded in the middle of it, unless they are there already. */
function loadNow(): readonly Command[] {
  const loaded: typeof import('./commands/index.ts') = require('./commands/index.ts');
  return loaded.commands;
}

/** What nobody has to allow reaches the agent's own alone, for whomever it speaks. */
function atMost(caller: Caller, { agents }: HostCommand): Caller {
  return caller.kind === 'agent' && agents === 'own' ? { ...caller, scope: 'group' } : caller;
}

function byOf(caller: Caller): By {
  if (caller.kind === 'owner') return { actor: 'terminal:owner', scope: null };
  const { agentGroupId, scope, speakers } = caller;
  return { actor: `agent:${agentGroupId}`, scope: scope === 'global' ? null : agentGroupId, speakers };
}

/** The same way in for what is asked and for what was allowed. */
function prepare(
  view: HostView,
  caller: Caller,
  commands: readonly Command[],
  name: string,
  args: Arguments,
): Result<{ command: HostCommand; exact: Arguments }> {
  const command = commands.find((one) => one.name === name);
  if (command?.place !== 'host') return { ok: false, code: 'NC_USAGE', detail: `The host knows no command "${name}".` };
  if (caller.kind === 'agent' && (!command.agents || (command.onlyGlobal && caller.scope !== 'global'))) {
    return { ok: false, code: 'NC_FORBIDDEN', detail: 'That command is not for agents.' };
  }
  const checked = checkArguments(command, args, ownOf(caller));
  if (!checked.ok) return { ok: false, code: 'NC_USAGE', detail: checked.sentence };
  const exact: Record<string, string | true> = { ...checked.value };
  for (const { name: key, ref } of [...(command.positionals ?? []), ...(command.flags ?? [])]) {
    const given = exact[key];
    if (ref === undefined || typeof given !== 'string') continue;
    const found = resolve(view, atMost(caller, command), ref, given);
    if (!found.ok) return found;
    exact[key] = found.data;
  }
  return { ok: true, data: { command, exact } };
}

/** What an agent means when it doesn't say. */
export function ownOf(caller: Caller): Own {
  return caller.kind === 'agent' ? { group: caller.agentGroupId, session: caller.sessionId } : {};
}

function resolve(view: HostView, caller: Caller, ref: RefKind, given: string): Result<string> {
  // Whom it is talking to is nothing new to an agent.
  const isHeard = caller.kind === 'agent' && ref === 'user' && caller.speakers.includes(given);
  return isHeard ? { ok: true, data: given } : lookupOf(view).resolve(ref, given, byOf(caller).scope);
}

/** Tried first: what could not be done is refused now, and nobody is bothered with it. */
function ask(
  view: HostView,
  caller: Extract<Caller, { kind: 'agent' }>,
  command: HostCommand & { agents: 'change' },
  args: Arguments,
  call: Call,
): Answering {
  const tried = view.directory.rehearse(() => command.answer(view, args, { ...call, look: PLAIN }));
  if (!tried.ok) return tried;
  const { agentGroupId, sessionId, speakers } = caller;
  const action: FrozenCommand = { command: command.name, args, agentGroupId, sessionId, speakers: [...speakers] };
  const asked = view.requestApproval(
    caller,
    { ...describeRequest(view, caller, command, args, tried.data.text ?? ''), action },
    call.now,
  );
  if (!asked.ok) return asked;
  const text = `This needs somebody's word (${asked.data}).`;
  return { ok: true, data: { data: { pending: asked.data }, text, pending: asked.data } };
}

function withRemark(answer: Answering, note: string): Answering {
  if (!answer.ok) return answer;
  const { text, ...rest } = answer.data;
  return { ok: true, data: { ...rest, note, ...(text !== undefined && { text: `${text}\n${note}` }) } };
}
