import { entriesAbout } from './entries.ts';
import { reasonInWords } from './reasons.ts';
import { capital, counted, type Line, type Row, type Story, type Teller } from './story.ts';
import { termsOf, WIRINGS } from './terms.ts';

/** Why nothing is answered in a chat: who listens there, what nobody took and why, and what can be done. */

export function chatStory(teller: Teller, channelType: string, platformId: string): Story {
  const place = [channelType, platformId] as const;
  const chat = teller.get('SELECT * FROM messaging_groups WHERE channel_type = ? AND platform_id = ?', ...place);
  const wirings = teller.all(
    `${WIRINGS} WHERE m.channel_type = ? AND m.platform_id = ? ORDER BY w.priority DESC`,
    ...place,
  );
  const dropped = teller.all(
    'SELECT * FROM dropped_messages WHERE channel_type = ? AND platform_id = ? ORDER BY last_seen',
    ...place,
  );
  const open = teller.all(
    `SELECT id, title FROM approvals WHERE status IN ('pending', 'naming') AND channel_type = ? AND platform_id = ?`,
    ...place,
  );
  const last = teller.get(
    `SELECT m.id, d.updated_at AS at FROM messages m JOIN deliveries d ON d.message_id = m.id
     WHERE m.channel_type = ? AND m.platform_id = ? AND d.status = 'sent' ORDER BY m.rowid DESC LIMIT 1`,
    ...place,
  );
  const elsewhere = teller.get(
    "SELECT * FROM dropped_messages WHERE channel_type = ? AND platform_id = '*'",
    channelType,
  );
  const made = chat ? [{ at: String(chat.created_at), text: 'The chat was made known.' }] : [];
  return {
    about: `Chat ${teller.chat(...place)}${chat ? `, ${chat.id}` : ', which is not known'}`,
    lines: [
      ...(chat ? without(made, entriesAbout(teller, String(chat.id))) : []),
      ...dropped.flatMap((row) => droppedLines(teller, row)),
      ...(last ? [{ at: String(last.at), text: `The last thing that was said there: message ${last.id}.` }] : []),
    ],
    now: [
      ...(chat?.denied_at
        ? [`It was refused on ${String(chat.denied_at).slice(0, 10)}: no agent is asked for there any more.`]
        : []),
      ...(wirings.length === 0 ? ['No agent listens there.'] : wirings.flatMap((row) => termsOf(teller, row))),
      ...open.map(
        ({ id, title }) => `Approval ${id} waits for a decision: ${title}. \`ncl why ${id}\` tells who was asked.`,
      ),
      ...dropped.flatMap((row) => remedyOf(teller, row, { chat, wirings })),
      ...(elsewhere && dropped.length === 0
        ? [
            `So many chats of ${channelType} wrote in vain that the later ones are counted together: ${counted(elsewhere.count, 'message')}.`,
          ]
        : []),
    ],
  };
}

function without(made: readonly Line[], entries: readonly Line[]): Line[] {
  return entries.length > 0 ? [...entries] : [...made];
}

function droppedLines(teller: Teller, { reason, count, first_seen, last_seen, sample_sender }: Row): Line[] {
  const { why, isKept } = reasonInWords(String(reason));
  const isOne = Number(count) === 1;
  const many = isOne ? 'One message was' : `${counted(count, 'message')} since ${first_seen}, this the last, were`;
  const what = isKept ? 'kept as context, and not answered' : 'not taken';
  const text = `${many} ${what}, since ${why}. ${isOne ? 'It' : 'The last'} came from ${teller.who(sample_sender)}.`;
  return [{ at: String(last_seen), text: capital(text) }];
}

/** With the names filled in, where there is only one that can be meant. */
function remedyOf(
  teller: Teller,
  { reason, sample_sender }: Row,
  { chat, wirings }: { chat: Row | undefined; wirings: readonly Row[] },
): string[] {
  const { remedy, still } = reasonInWords(String(reason));
  if (remedy === undefined || still?.(wirings) === false) return [];
  const isKnown = teller.get('SELECT 1 FROM users WHERE id = ?', String(sample_sender)) !== undefined;
  const only = wirings.length === 1 ? wirings[0] : undefined;
  return [
    remedy
      .replaceAll('<known>', isKnown ? '' : '`ncl users create <sender>`, then ')
      .replaceAll('<wiring>', String(only?.id ?? '<wiring>'))
      .replaceAll('<agent>', String(only?.agent_group_id ?? '<agent>'))
      .replaceAll('<sender>', String(sample_sender ?? '<sender>'))
      .replaceAll('<chat>', String(chat?.id ?? '<chat>')),
  ];
}
