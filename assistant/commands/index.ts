import type { DatabaseSync } from 'node:sqlite';
import { type Control, isoTime } from '@nanoclaw/protocol';
import type { ContainerRunner } from '../../src/container-runner.ts';
import { newId } from '../../src/db/ids.ts';
import type { Messages } from '../../src/db/messages.ts';
import type { Session, Sessions } from '../../src/db/sessions.ts';
import type { DeliveryQueue } from '../../src/delivery/index.ts';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import type { Logger } from '../../src/log/index.ts';
import type { Roles } from '../../src/people/roles.ts';
import type { CommandContext } from '../../src/router.ts';
import { sessionKey, type Wiring } from '../../src/routing/session-key.ts';
import type { Wirings } from '../../src/routing/wirings.ts';
import { type Effects, noEffects, type TakeOver } from '../../src/take-over/index.ts';
import type { Assistant } from '../index.ts';
import { createCompact } from './compact.ts';
import { type CommandName, helpText, strangerIn } from './parse.ts';

/** What the host answers itself, at once. Who may use what is in `docs/people.md`. */

export interface CommandParts {
  db: DatabaseSync;
  sessions: Sessions;
  messages: Messages;
  roles: Roles;
  table: Pick<Wirings, 'letGo'>;
  takeOver: TakeOver;
  runner: ContainerRunner;
  /** When the running turn of a session began, in monotonic ms. */
  activity: { get(sessionId: string): { turnSince: number | null } | undefined };
  channelHasThreads(channelType: string): boolean;
  perform(session: Session, effects: Effects): void;
  delivery: DeliveryQueue;
  /** What has commands of its own. */
  assistant(): Pick<Assistant, 'alive' | 'model' | 'models' | 'usage'>;
  log: Logger;
}

export interface Commands {
  /** Says it in the chat that the words came from. Inside a transaction; what is returned runs after the commit. */
  answer(context: Pick<CommandContext, 'event' | 'origin' | 'inboundId' | 'now'>, text: string): () => void;
  run(name: CommandName, context: CommandContext): () => void;
}

/** A runner that has not ended its turn by then is killed, so that /stop holds within two seconds. */
const STOP_PATIENCE_MS = 1_400;

export function createCommands(parts: CommandParts): Commands {
  const { db, sessions, messages, roles, takeOver, runner, log } = parts;
  const compactOne = createCompact(parts);
  const openControl = db.prepare("SELECT 1 FROM messages WHERE id = ? AND status = 'pending'");

  function sessionOf(wiring: Wiring, { event }: CommandContext): Session | undefined {
    const key = sessionKey(wiring, event, parts.channelHasThreads(event.channelType));
    return sessions.find(wiring.agentGroupId, key.messagingGroupId, key.threadId);
  }

  /** Ends all that is open for this chat in a session. What runs is told to stop, and made to. */
  function end(
    session: Session,
    context: CommandContext,
    action: Control['action'],
  ): { effects: Effects; id?: string } {
    const { origin, now } = context;
    const effects = noEffects();
    for (const message of messages.open(session.id)) {
      const here = message.channel_type === origin.channel_type && message.platform_id === origin.platform_id;
      // What another chat waits for, a summary say, ends with a word there.
      if (action === 'clear' && message.kind === 'system' && (here || !message.trigger))
        messages.settle(session.id, message.id, 'completed', 'context', now);
      if (!message.trigger || !here) continue;
      messages.settle(session.id, message.id, 'completed', 'stopped', now);
      effects.settled.push({ ...message, messageId: message.id, outcome: 'stopped' });
    }
    const { alive } = parts.assistant();
    // With one session for all chats, another chat's work may be what runs.
    const isOthers =
      session.messagingGroupId === null && effects.settled.length === 0 && !alive.isBusyFor(session.id, origin);
    if (action === 'stop' && (isOthers || !runner.has(session.id))) return { effects };
    const id = newId('sys', now);
    const content: Control = { action };
    messages.addInbound(
      {
        id,
        sessionId: session.id,
        kind: 'system',
        timestamp: isoTime(now),
        trigger: false,
        content,
        channel_type: null,
        platform_id: null,
        thread_id: null,
      },
      now,
    );
    effects.changed = true;
    effects.deliver.push(...alive.endedElsewhere(session, origin, now));
    return { effects, id };
  }

  function enforce(session: Session, controlId: string): void {
    const timer = setTimeout(() => {
      if (!runner.has(session.id) || !openControl.get(controlId)) return;
      runner
        .stop(session.id, 0, 'stop-command')
        .catch((error: unknown) => log.error('stop failed', { session: session.id, error }));
    }, STOP_PATIENCE_MS);
    timer.unref();
  }

  function endIn(wiring: Wiring, context: CommandContext, action: Control['action']): Done {
    const session = sessionOf(wiring, context);
    const { effects, id } = session ? end(session, context, action) : { effects: noEffects() };
    const isBusy = session !== undefined && parts.assistant().alive.isBusyFor(session.id, context.origin);
    const text =
      action === 'clear'
        ? 'This conversation is forgotten; memory and files stay, and what was said can be searched.'
        : effects.settled.length > 0 || isBusy
          ? 'Stopped.'
          : 'Nothing was running here.';
    return {
      text,
      after() {
        if (!session) return;
        parts.perform(session, effects);
        if (id !== undefined && runner.has(session.id)) enforce(session, id);
      },
    };
  }

  /** Alone with somebody it is their conversation; what others share is not for one of them to forget. */
  function mayChange(wiring: Wiring, { event }: CommandContext): boolean {
    const isOwn = !event.isGroup && wiring.sessionMode !== 'agent-shared';
    return isOwn || roles.mayAdminister(event.senderId, wiring.agentGroupId);
  }

  function clear(wiring: Wiring, context: CommandContext): Done {
    return mayChange(wiring, context)
      ? endIn(wiring, context, 'clear')
      : says(`Others share this conversation: only admins of ${wiring.assistantName} may clear it.`);
  }

  function compact(wiring: Wiring, context: CommandContext): Done {
    return mayChange(wiring, context)
      ? compactOne(sessionOf(wiring, context), context)
      : says(`Others share this conversation: only admins of ${wiring.assistantName} may have it summarised.`);
  }

  function model(wiring: Wiring, context: CommandContext): Done {
    const { messagingGroupId, threadId } = sessionKey(
      wiring,
      context.event,
      parts.channelHasThreads(context.event.channelType),
    );
    const ensure = () => sessions.ensure(wiring.agentGroupId, messagingGroupId, threadId, context.now);
    return says(parts.assistant().model(wiring, context, sessionOf(wiring, context), ensure));
  }

  const usage = (wiring: Wiring, context: CommandContext): Done =>
    says(parts.assistant().usage.commands.usage(wiring, context, sessionOf(wiring, context)));

  const budget = (wiring: Wiring, context: CommandContext): Done =>
    says(parts.assistant().usage.commands.budget(wiring, context));

  function leave(wiring: Wiring, { event }: CommandContext): Done {
    if (parts.table.letGo(wiring.id, event.threadId)) return says('I leave this conversation until I am called again.');
    return wiring.engageMode === 'pattern'
      ? says('I hear everything here: that is how this chat is set. An admin changes it with `ncl wirings update`.')
      : says("I wasn't following this conversation: I answer when I am called.");
  }

  function status(wiring: Wiring, context: CommandContext): string {
    const session = sessionOf(wiring, context);
    const agent = getAgentGroup(db, wiring.agentGroupId);
    const { provider, model } = parts.assistant().models.inForce(wiring.agentGroupId, session?.id);
    const name = `${agent?.assistantName} (${provider.value}${model.value ? `, ${model.value}` : ''})`;
    if (!session) return `${name}: nothing said here yet.`;
    const open = messages.open(session.id).filter((message) => message.trigger);
    const tries = open.flatMap(({ processAfter }) =>
      processAfter === null ? [] : Date.parse(processAfter) - context.now,
    );
    const next = Math.min(...tries.filter((ms) => ms > 0));
    const since = parts.activity.get(session.id)?.turnSince ?? null;
    const doing = parts.assistant().usage.isHeld(session.id)
      ? 'its budget is used up, what is asked waits'
      : since !== null
        ? `working for ${Math.round((performance.now() - since) / 1000)} s`
        : runner.has(session.id)
          ? 'awake, waiting for you'
          : 'asleep, wakes with your next message';
    const again = Number.isFinite(next) ? `, the next try in ${Math.ceil(next / 1000)} s` : '';
    const behind = parts.assistant().alive.inWords(session.id, context.origin);
    const more = behind === undefined ? '' : `; ${behind}`;
    return `${name}: ${doing}; ${open.length === 0 ? 'nothing' : open.length} open${again}${more}. Session ${session.id}.`;
  }

  function answer(context: Parameters<Commands['answer']>[0], text: string): () => void {
    const { origin, inboundId, event, now } = context;
    const id = takeOver.say(origin, null, text, inboundId, now);
    return () => {
      parts.delivery.enqueue([id]);
      parts.delivery.settled({
        ...origin,
        messageId: inboundId,
        platformMessageId: event.platformMessageId,
        outcome: 'reply',
      });
    };
  }

  return {
    answer,
    run(name, context) {
      const { wirings, event, several } = context;
      const names = wirings.map(({ assistantName }) => assistantName);
      const stranger = event.isGroup ? undefined : strangerIn(event.text, names);
      if (stranger !== undefined) {
        return answer(
          context,
          `There is no @${stranger} here. ${names.map((one) => `@${one}`).join(', ')} would hear it.`,
        );
      }
      if (name === 'help') {
        return answer(context, helpText(names, event.isGroup));
      }
      if (name === 'status') return answer(context, wirings.map((wiring) => status(wiring, context)).join('\n'));
      const carryOut = {
        stop: (wiring: Wiring) => endIn(wiring, context, 'stop'),
        clear,
        compact,
        leave,
        model,
        usage,
        budget,
      }[name];
      const done = wirings.map((wiring) => ({ wiring, ...carryOut(wiring, context) }));
      const lines = done.map(({ wiring, text }) => (several ? `${wiring.assistantName}: ${text}` : text));
      const say = answer(context, lines.join('\n'));
      return () => {
        for (const { after } of done) after();
        say();
      };
    },
  };
}

/** What one agent has to say to a command; `after` the commit. */
interface Done {
  text: string;
  after(): void;
}

function says(text: string): Done {
  return { text, after() {} };
}
