import { entriesAbout } from './entries.ts';
import { capital, counted, field, type Line, quoted, type Row, type Story, type Teller } from './story.ts';
import { standingOf, WIRINGS, whyTaken } from './terms.ts';

/** Why a message was answered, or not. */

export function messageStory(teller: Teller, id: string): Story {
  const asked = teller.get('SELECT * FROM messages WHERE id = ?', id);
  const answered = teller.get('SELECT * FROM messages WHERE id = ?', String(asked?.in_reply_to ?? ''));
  const row = asked?.direction === 'out' && answered ? answered : asked;
  if (!row) throw new Error(`Message ${id} is not there any more.`);
  const session = teller.get('SELECT * FROM sessions WHERE id = ?', String(row.session_id ?? ''));
  const place = teller.chat(row.channel_type, row.platform_id);
  if (row.direction === 'out') return saidStory(teller, row, session, place);
  const said = saidTo(teller, row);
  const lines = [
    ...waited(teller, row),
    { at: String(row.created_at), text: `${author(teller, row)} wrote ${quoted(field(row.content, 'text'))}.` },
    ...(session ? taken(teller, row, session) : [hostsOwn(row)]),
    ...said.flatMap((out) => answerLines(teller, out)),
    ...ended(row, said, teller.agent(session?.agent_group_id)),
    ...entriesAbout(teller, String(row.id)),
  ];
  return { about: `Message ${row.id} in ${place}`, lines, now: stands(teller, row, session) };
}

/** What an agent or the host said by itself. */
function saidStory(teller: Teller, row: Row, session: Row | undefined, place: string): Story {
  const lines = [...answerLines(teller, row), ...entriesAbout(teller, String(row.id))];
  const from =
    session && row.seq !== null
      ? `${teller.agent(session.agent_group_id)} said it, in answer to nothing in particular`
      : 'The host said it';
  return { about: `Message ${row.id} to ${place}`, lines, now: [`${from}.`] };
}

/** It had been held back until somebody allowed it. */
function waited(teller: Teller, row: Row): Line[] {
  const rows = teller.all(
    `SELECT * FROM approvals WHERE status = 'approved' AND kind LIKE 'unknown-%' AND channel_type = ?1 AND platform_id = ?2
       AND requested_by = ?3 AND decided_at >= ?4 AND decided_at <= ?5`,
    row.channel_type ?? null,
    row.platform_id ?? null,
    row.user_id ?? null,
    row.timestamp ?? null,
    row.created_at ?? null,
  );
  return rows.map(({ id, title, decided_at, decided_by }) => ({
    at: String(decided_at),
    text: `It had waited for approval ${id} (${title}), until ${teller.who(decided_by)} allowed it.`,
  }));
}

function author(teller: Teller, { kind, user_id }: Row): string {
  return kind === 'chat' ? capital(teller.who(user_id)) : 'The host';
}

function hostsOwn(row: Row): Line {
  return {
    at: String(row.created_at),
    text: 'It was for the host itself, a command or a decision, and no agent saw it.',
  };
}

function taken(teller: Teller, row: Row, session: Row): Line[] {
  const at = String(row.created_at);
  const name = teller.agent(session.agent_group_id);
  if (row.kind !== 'chat') return [{ at, text: `The host handed it to ${name}: it is no message from the chat.` }];
  if (row.trigger === 0)
    return [{ at, text: `It was not for ${name}, but for it to know: it was given along as context.` }];
  const wiring = teller.get(
    `${WIRINGS} WHERE m.channel_type = ? AND m.platform_id = ? AND w.agent_group_id = ?`,
    row.channel_type ?? null,
    row.platform_id ?? null,
    session.agent_group_id ?? null,
  );
  if (!wiring) return [{ at, text: `It went to ${name}, by a wiring that is gone by now.` }];
  const changed = teller.get(
    "SELECT at FROM audit_log WHERE subject = ? AND action = 'wiring.updated' AND at > ? LIMIT 1",
    String(wiring.id),
    at,
  );
  const because = changed ? 'by terms that were changed since' : `because ${whyTaken(wiring, name)}`;
  const sender = `The sender ${standingOf(teller, row.user_id, session.agent_group_id)}`;
  const open = wiring.unknown_sender_policy === 'public' ? '; the chat is open to everybody' : '';
  return [
    { at, text: `It went to ${name} (session ${session.id}), ${because} (wiring ${wiring.id}).` },
    { at, text: `${sender}${open}.` },
  ];
}

/** By the agent or the host, to this message. */
function saidTo(teller: Teller, row: Row): Row[] {
  return teller.all(
    `SELECT * FROM messages WHERE direction = 'out' AND session_id IS ?1 AND (in_reply_to = ?2 OR instr(content, ?3) > 0)
     ORDER BY created_at, rowid`,
    row.session_id ?? null,
    String(row.id),
    JSON.stringify(String(row.id)),
  );
}

function answerLines(teller: Teller, out: Row): Line[] {
  const at = String(out.created_at);
  const by = out.seq === null ? 'The host' : 'The agent';
  if (out.kind === 'system') {
    const reason = field(out.content, 'reason');
    return field(out.content, 'action') === 'silence'
      ? [{ at, text: `The agent decided to say nothing${reason ? `: ${quoted(reason)}` : ', and gave no reason'}.` }]
      : [];
  }
  if (field(out.content, 'progress') === true) return [];
  const said = { at, text: `${by} said ${quoted(field(out.content, 'text'))} (${out.id}).` };
  const delivery = teller.get('SELECT * FROM deliveries WHERE message_id = ?', String(out.id));
  return delivery ? [said, { at: String(delivery.updated_at), text: deliveryText(delivery) }] : [said];
}

function deliveryText({ status, error, attempts, not_before, platform_message_id }: Row): string {
  switch (status) {
    case 'sent':
      return `The platform took it${platform_message_id ? ` as ${platform_message_id}` : ''}.`;
    case 'failed':
      return `It was not delivered: ${error ?? 'the platform refused it'}`.replace(/\.?$/, '.');
    default: {
      const next = not_before ? `, the next try not before ${not_before}` : '';
      return `It waits to be delivered${Number(attempts) > 0 ? ` after ${counted(attempts, 'try', 'tries')}` : ''}${next}${error ? `: ${error}` : ''}.`;
    }
  }
}

function ended(row: Row, said: readonly Row[], name: string): Line[] {
  if (row.settled_at === null) return [];
  const at = String(row.settled_at);
  switch (row.outcome) {
    case 'silence':
      return said.some((out) => field(out.content, 'action') === 'silence')
        ? []
        : [{ at, text: `${name} ended its turn without saying anything.` }];
    case 'notice':
      return [
        { at, text: `It was given up after ${counted(Number(row.tries) + 1, 'try', 'tries')}; the chat was told why.` },
      ];
    case 'stopped':
      return [{ at, text: 'It was stopped, by /stop or /clear or what does the same, before it was answered.' }];
    case 'withdrawn':
      return [{ at, text: 'It was deleted on the platform before its agent had read it.' }];
    default:
      return [];
  }
}

function stands(teller: Teller, { id, status, tries, process_after }: Row, session: Row | undefined): string[] {
  if (status === 'paused') return ['It is paused.'];
  if (status !== 'pending') return [];
  const next = process_after ? `, the next one not before ${process_after}` : '';
  const tried =
    Number(tries) > 0
      ? `It is not answered yet, after ${counted(tries, 'try', 'tries')}${next}.`
      : 'It is not answered yet.';
  const held = teller.held(session?.agent_group_id);
  return [tried, ...(held === undefined ? [] : [held]), `\`ncl trace ${id}\` shows what is done about it.`];
}
