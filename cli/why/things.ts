import { entriesAbout } from './entries.ts';
import { reasonInWords } from './reasons.ts';
import { capital, counted, type Line, type Row, type Story, type Teller } from './story.ts';
import { by, standingOf, termsOf, WIRINGS } from './terms.ts';

/** Why somebody was asked, let in, refused; why an agent listens somewhere; what became of a session. */

export function approvalStory(teller: Teller, id: string): Story {
  const row = one(teller, 'SELECT * FROM approvals WHERE id = ?', id);
  const cards = teller.all('SELECT * FROM approval_cards WHERE approval_id = ? ORDER BY at', id);
  const waiting = Number(teller.get('SELECT count(*) AS n FROM held_events WHERE approval_id = ?', id)?.n);
  const asked = cards.map(({ at, user_id, channel_type, platform_id }) => {
    const text =
      user_id === ''
        ? 'Nobody who may decide could be reached; the chat was told so.'
        : `${capital(teller.who(user_id))} was asked in ${teller.chat(channel_type, platform_id)}.`;
    return { at: String(at), text };
  });
  // What the tables say already isn't told twice.
  const entries = entriesAbout(teller, id).filter(({ text }) => !text.includes(`approval ${id}`));
  const lines = [
    { at: String(row.created_at), text: `${capital(teller.who(row.requested_by))} asked: ${row.title}.` },
    ...asked,
    ...decision(teller, row),
    ...entries,
  ];
  const isOpen = row.status === 'pending' || row.status === 'naming';
  const now = [
    ...(waiting > 0 ? [`Waiting for it: ${counted(waiting, 'message')}.`] : []),
    ...(Number(row.more) > 0 ? [`Dropped, since no more are kept: ${counted(row.more, 'message')}.`] : []),
    ...(isOpen ? [openText(row)] : []),
  ];
  return { about: `Approval ${id} (${row.kind}), ${row.status}`, lines, now };
}

function openText({ id, status, expires_at, escalate_at }: Row): string {
  const what = status === 'naming' ? 'It is allowed and waits for a name' : 'It waits for a decision';
  const next = escalate_at ? ` The next one is asked at ${escalate_at}.` : ' There is nobody else to ask.';
  return `${what} until ${expires_at}: \`ncl approvals approve ${id}\` or \`deny\`.${next}`;
}

function decision(teller: Teller, row: Row): Line[] {
  if (row.decided_at === null) return [];
  const option = teller.get(
    "SELECT value ->> 'label' AS label FROM json_each(?) WHERE key = ?",
    String(row.options),
    Number(row.decision ?? -1),
  )?.label;
  const who = capital(teller.who(row.decided_by));
  const said = option ? ` by “${option}”` : '';
  const result = row.result ? `: ${String(row.result).replace(/\.?$/, '.')}` : '.';
  const words: Readonly<Record<string, string>> = {
    naming: `${who} allowed it${said}, with a name to be said.`,
    approved: `${who} allowed it${said}${result}`,
    denied: `${who} refused it${result}`,
    expired: row.result ? `It ended by itself${result}` : 'Nobody decided in time.',
    failed: `${who} allowed it${said}, and it could not be done${result}`,
  };
  return [{ at: String(row.decided_at), text: words[String(row.status)] ?? '' }];
}

export function sessionStory(teller: Teller, id: string): Story {
  const row = one(teller, 'SELECT * FROM sessions WHERE id = ?', id);
  const name = teller.agent(row.agent_group_id);
  const place = row.messaging_group_id === null ? 'all of its chats' : teller.chatById(row.messaging_group_id);
  const counts = teller.all(
    `SELECT ifnull(outcome, status) AS how, count(*) AS n FROM messages WHERE session_id = ? AND direction = 'in' AND trigger = 1
     GROUP BY how ORDER BY n DESC, how`,
    id,
  );
  const shown = counts.map(({ how, n }) => `${how} ${n}`).join(', ');
  const thread = row.thread_id === null ? '' : `, thread ${row.thread_id}`;
  return {
    about: `Session ${id}, ${row.status}`,
    lines: [
      { at: String(row.created_at), text: `It began, for ${name} in ${place}${thread}.` },
      ...entriesAbout(teller, id),
    ],
    now: [
      shown === '' ? 'No message has come in it yet.' : `What became of its messages: ${shown}.`,
      `It was last active at ${row.last_active}. \`ncl logs ${id}\` shows what its sandbox printed.`,
    ],
  };
}

export function userStory(teller: Teller, id: string): Story {
  const row = one(teller, 'SELECT * FROM users WHERE id = ?', id);
  const agents = teller.all('SELECT id FROM agent_groups ORDER BY uid_ordinal');
  const dropped = teller.all('SELECT * FROM dropped_messages WHERE sample_sender = ? ORDER BY last_seen', id);
  const decided = Number(teller.get('SELECT count(*) AS n FROM audit_log WHERE actor = ?', id)?.n);
  return {
    about: `User ${teller.who(id)}`,
    lines: [
      { at: String(row.created_at), text: 'First seen.' },
      ...entriesAbout(teller, id),
      ...dropped.map((one) => ({ at: String(one.last_seen), text: droppedText(teller, one) })),
    ],
    now: [
      ...agents.map((agent) => `For ${teller.agent(agent.id)}: ${standingOf(teller, id, agent.id)}.`),
      ...(decided > 0
        ? [`What they did: ${counted(decided, 'entry', 'entries')} of \`ncl audit list --actor ${id}\`.`]
        : []),
    ],
  };
}

function droppedText(teller: Teller, { channel_type, platform_id, reason, count }: Row): string {
  const { why } = reasonInWords(String(reason));
  return `Theirs was the last of ${counted(count, 'message')} in ${teller.chat(channel_type, platform_id)} that nobody took: ${why}.`;
}

export function wiringStory(teller: Teller, id: string): Story {
  const row = one(teller, `${WIRINGS} WHERE w.id = ?`, id);
  const engaged = teller.all('SELECT thread_id, since FROM engagements WHERE wiring_id = ? ORDER BY since', id);
  const kept = Number(teller.get('SELECT count(*) AS n FROM backlog WHERE wiring_id = ?', id)?.n);
  const threads = engaged.map(({ since, thread_id }) => ({
    at: String(since),
    text: `Addressed in ${thread_id === '' ? 'the chat' : `thread ${thread_id}`}: it needs no mention there for now.`,
  }));
  return {
    about: `Wiring ${id}: ${teller.wiring(id)}`,
    lines: [...made(row, entriesAbout(teller, id)), ...threads],
    now: [
      ...termsOf(teller, row),
      ...(kept > 0 ? [`Kept as context: ${counted(kept, 'message')}.`] : []),
      `\`ncl why ${row.channel_type}/${row.platform_id}\` tells what nobody took there.`,
    ],
  };
}

export function groupStory(teller: Teller, id: string): Story {
  const row = one(
    teller,
    'SELECT g.*, c.provider, c.model, c.egress, c.cli_scope FROM agent_groups g JOIN container_configs c ON c.agent_group_id = g.id WHERE g.id = ?',
    id,
  );
  const wirings = teller.all(`${WIRINGS} WHERE w.agent_group_id = ? ORDER BY w.created_at`, id);
  const members = teller.all('SELECT * FROM agent_group_members WHERE agent_group_id = ? ORDER BY added_at', id);
  const listens = wirings.map(({ id: wiring, channel_type, platform_id }) => {
    return `${teller.chat(channel_type, platform_id)} (${wiring})`;
  });
  const shown = members.slice(-SHOWN_MEMBERS);
  return {
    about: `Agent ${row.name} (${id})`,
    lines: made(row, entriesAbout(teller, id)),
    now: [
      `Its model is that of ${row.provider || 'this install'}${row.model ? ` (${row.model})` : ''}; its network: ${row.egress}; its \`ncl\`: ${row.cli_scope}.`,
      listens.length > 0 ? `It listens in ${listens.join(', ')}.` : 'It listens nowhere: `ncl wirings create` lets it.',
      ...shown.map(
        (one) => `${capital(teller.who(one.user_id))} is a member${by(teller, one.added_by, one.added_at)}.`,
      ),
      ...(shown.length < members.length ? [`${members.length} members in all: \`ncl members list\`.`] : []),
    ],
  };
}

const SHOWN_MEMBERS = 10;

/** What was made before anything was recorded has its time in its row. */
function made(row: Row, entries: readonly Line[]): Line[] {
  const at = String(row.created_at);
  return entries.some((entry) => entry.at === at) ? [...entries] : [{ at, text: 'It was made.' }, ...entries];
}

function one(teller: Teller, sql: string, id: string): Row {
  const row = teller.get(sql, id);
  if (!row) throw new Error(`${id} is not there any more.`);
  return row;
}
