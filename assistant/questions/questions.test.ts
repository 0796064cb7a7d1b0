import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isoTime, type MessageInRow, QuestionReport } from '@nanoclaw/protocol';
import type { ButtonPress, InboundEvent } from '../../src/channels/adapter.ts';
import { createGroupCommit, transaction } from '../../src/db/group-commit.ts';
import { createLogger } from '../../src/log/index.ts';
import type { OutboundSnapshot } from '../../src/mailbox/outbound-reader.ts';
import { createRoles } from '../../src/people/roles.ts';
import type { Ask } from '../../src/questioning.ts';
import { createWirings } from '../../src/routing/wirings.ts';
import { createTakeOver } from '../../src/take-over/index.ts';
import { eventOf, furnish, grant } from '../../test/support/approvals.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { createQuestions, type Questions } from './index.ts';

/** The life of a question, on a real central database; what an agent writes comes through take-over. */

const MINUTE = 60_000;
const ROOM = { channel_type: 'rich', platform_id: 'room', thread_id: null };

interface World extends Disposable {
  install: Install;
  questions: Questions;
  sessionId: string;
  /** Kim asks the agent something in the room, and it works on that. Returns the message's id. */
  turn(user?: string): string;
  /** The agent's rows, and what it acknowledges. */
  agent(rows: readonly object[], acks?: OutboundSnapshot['acks'], inReplyTo?: string | null): void;
  /** How a message ends. */
  end(id: string, outcome: 'reply' | 'stopped'): void;
  reports(): { row: MessageInRow; report: QuestionReport }[];
  /** What the agent is told by a message: those that wake it, those that don't. */
  told(): { text: string; wakes: boolean; channel: unknown }[];
  /** What was said in chats: texts of questions, and what they became. */
  said(): {
    text: string;
    edits?: { message: string; text: string };
    card?: { buttons: { data: string; label: string }[] };
  }[];
  press(choice: number, by?: string, where?: Partial<ButtonPress>): Promise<string>;
  says(text: string, over?: Partial<InboundEvent>): { text: string } | { dropped: string } | undefined;
  wokenFor: string[];
}

function ask(over: Partial<Ask> = {}): Ask {
  return {
    action: 'ask',
    question: 'k1',
    title: 'Colour',
    text: 'Which?',
    options: ['Blue', 'Red'],
    waitMs: MINUTE,
    ...over,
  };
}

function createWorld(): World {
  const install = createInstall();
  furnish(install);
  grant(install, 'rich:kim', 'member');
  grant(install, 'rich:mel', 'member');
  const { db, root, sessions, messages, deliveries } = install;
  const roles = createRoles(db);
  const wokenFor: string[] = [];
  const log = createLogger({ folder: join(root, 'data'), secrets: () => [] });
  const takeOver = createTakeOver({ db, messages, deliveries, sessions, questions: () => questions });
  const commit = createGroupCommit(db);
  const questions = createQuestions({
    db,
    commit,
    roles,
    wirings: createWirings(db, roles),
    takeOver,
    deliveries,
    messages,
    sessions,
    capabilities: (channelType) => ({
      threads: false,
      maxTextLength: 4096,
      buttons: channelType === 'rich',
      edits: channelType === 'rich',
    }),
    deliver: () => {},
    publish: () => {},
    wake: (id) => wokenFor.push(id),
    onAnswered: () => {},
    log,
  });
  const session = transaction(db, () => sessions.ensure(install.agentId, 'mg-room', null, Date.now()));
  let count = 0;
  let seq = 1;
  const json = (sql: string) =>
    db
      .prepare(sql)
      .all()
      .map((row) => JSON.parse(String(row.content)));
  return {
    install,
    questions,
    sessionId: session.id,
    wokenFor,
    turn(user = 'rich:kim') {
      count += 1;
      const id = `msg-${count}`;
      transaction(db, () =>
        messages.addInbound(
          {
            ...ROOM,
            id,
            sessionId: session.id,
            kind: 'chat',
            timestamp: isoTime(Date.now()),
            trigger: true,
            content: { text: 'ask me', sender: 'Kim' },
            userId: user,
          },
          Date.now(),
        ),
      );
      return id;
    },
    agent(rows, acks = [], inReplyTo = null) {
      const snapshot: OutboundSnapshot = {
        messages: rows.map((content) => {
          seq += 2;
          return {
            ...ROOM,
            id: `out-${seq}`,
            seq,
            in_reply_to: inReplyTo,
            timestamp: isoTime(Date.now()),
            deliver_after: null,
            kind: 'system' as const,
            content: JSON.stringify(content),
            ...('place' in content && typeof content.place === 'object' ? content.place : {}),
          };
        }),
        acks,
        phase: null,
        tools: [],
        more: false,
      };
      const fresh = sessions.get(session.id);
      assert.ok(fresh);
      transaction(db, () => takeOver.apply(fresh, snapshot, Date.now()));
    },
    end(id, outcome) {
      transaction(db, () => messages.settle(session.id, id, 'completed', outcome, Date.now()));
      questions.look(Date.now());
    },
    reports: () =>
      questions.reports(session.id).map((row) => ({ row, report: QuestionReport.parse(JSON.parse(row.content)) })),
    told: () =>
      db
        .prepare(
          `SELECT trigger, channel_type, json_extract(content, '$.text') AS text FROM messages
           WHERE direction = 'in' AND kind = 'system' AND json_extract(content, '$.subject') = 'question' ORDER BY seq`,
        )
        .all()
        .map((row) => ({ text: String(row.text), wakes: row.trigger === 1, channel: row.channel_type })),
    said: () => json("SELECT content FROM messages WHERE direction = 'out' AND seq IS NULL ORDER BY rowid"),
    press(choice, by = 'rich:kim', where = {}) {
      const row = db.prepare('SELECT id, channel_type, platform_id FROM questions ORDER BY id DESC LIMIT 1').get();
      return questions.press({
        channelType: String(row?.channel_type),
        platformId: String(row?.platform_id),
        threadId: null,
        senderId: by,
        senderName: by.replace('rich:', ''),
        data: `q:${row?.id}:${choice}`,
        ...where,
      });
    },
    says(text, over = {}) {
      const event = eventOf({ text, ...over });
      return questions.words.mayBe(event)
        ? transaction(db, () => questions.words.answer(event, Date.now()))
        : undefined;
    },
    [Symbol.dispose]() {
      log.close();
      install[Symbol.dispose]();
    },
  };
}

const ack = (id: string): OutboundSnapshot['acks'][number] => ({
  message_id: id,
  status: 'completed',
  status_changed: isoTime(Date.now()),
  error: null,
});

describe('a question for which a tool waits', () => {
  test('its answer is reported until it was read, and told by no message', async () => {
    using world = createWorld();
    const turn = world.turn();
    world.agent([ask()], [], turn);
    assert.deepEqual(world.reports(), []);
    assert.equal(
      world.said()[0]?.text,
      '❓ Colour\nWhich?\n(for Kim)\n\n1. Blue\n2. Red\n\nAnswer with the number or the word.',
    );
    assert.deepEqual(
      world.said()[0]?.card?.buttons.map(({ data }) => Buffer.byteLength(data) <= 64),
      [true, true],
    );
    assert.equal(await world.press(1), '✅ You: Red');
    const [found] = world.reports();
    assert.deepEqual(found?.report, {
      action: 'question',
      question: 'k1',
      status: 'answered',
      text: 'Kim answered: Red',
    });
    assert.equal(found?.row.status, 'paused');
    world.agent([], [ack(found?.row.id ?? '')]);
    assert.deepEqual(world.reports(), []);
    world.end(turn, 'reply');
    assert.deepEqual(world.told(), []);
    assert.equal(world.said()[1]?.edits?.text, '❓ Colour\nWhich?\n\n✅ Kim: Red');
  });

  test('the same asked again by a turn that is tried again is the same question, with the answer that it has', async () => {
    using world = createWorld();
    const turn = world.turn();
    world.agent([ask()], [], turn);
    world.agent([ask()], [], turn);
    assert.equal(world.said().length, 1);
    await world.press(0);
    const [first] = world.reports();
    world.agent([], [ack(first?.row.id ?? '')]);
    // What was read died with its reader; the old acknowledgement says nothing about the new report.
    world.agent([ask()], [ack(first?.row.id ?? '')], turn);
    assert.deepEqual(
      world.reports().map(({ report }) => report.text),
      ['Kim answered: Blue'],
    );
    assert.notEqual(world.reports()[0]?.row.id, first?.row.id);
    assert.equal(world.said().filter(({ card }) => card).length, 1);
  });

  test('an answer that nobody reads is told by a message when the turn has ended', async () => {
    using world = createWorld();
    const turn = world.turn();
    world.agent([ask()], [], turn);
    await world.press(0);
    world.questions.look(Date.now());
    assert.deepEqual(world.told(), []);
    world.end(turn, 'reply');
    assert.deepEqual(world.told(), [
      { text: 'Your question “Colour”: Kim answered: Blue', wakes: true, channel: 'rich' },
    ]);
    assert.deepEqual(world.wokenFor, [world.sessionId]);
    assert.deepEqual(world.reports(), []);
    world.questions.look(Date.now() + 100 * 24 * 60 * MINUTE);
    assert.equal(world.told().length, 1);
  });

  test('one that was given up is answered by a message, whichever of both came first', async () => {
    using world = createWorld();
    const turn = world.turn();
    const later = { action: 'ask-later', question: 'k1' };
    world.agent([ask(), later], [], turn);
    await world.press(0);
    assert.equal(world.told().length, 1);
    world.agent([ask({ question: 'k2' })], [], turn);
    await world.press(1);
    world.agent([{ ...later, question: 'k2' }], [], turn);
    assert.deepEqual(
      world.told().map(({ text }) => text),
      ['Your question “Colour”: Kim answered: Blue', 'Your question “Colour”: Kim answered: Red'],
    );
  });

  test('/stop withdraws it; time ends it, with a note that wakes nobody', async () => {
    using world = createWorld();
    const turn = world.turn();
    world.agent([ask()], [], turn);
    world.end(turn, 'stopped');
    assert.match(world.said().at(-1)?.edits?.text ?? '', /not asked any more/);
    assert.match(await world.press(0), /not asked any more/);
    assert.deepEqual(world.told(), []);
    const other = world.turn();
    world.agent([ask({ question: 'k2' }), { action: 'ask-later', question: 'k2' }], [], other);
    world.end(other, 'reply');
    world.questions.look(Date.now() + 25 * 60 * MINUTE);
    assert.match(await world.press(0), /Nobody answered this in time/);
    assert.deepEqual(world.told(), [{ text: 'Your question “Colour”: Nobody answered.', wakes: false, channel: null }]);
  });

  test('with its session it is withdrawn', async () => {
    using world = createWorld();
    const turn = world.turn();
    world.agent([ask(), { action: 'ask-later', question: 'k1' }], [], turn);
    world.end(turn, 'reply');
    world.install.db.exec("UPDATE sessions SET status = 'closed'");
    world.questions.look(Date.now());
    assert.match(await world.press(0), /not asked any more/);
    assert.deepEqual(world.told(), []);
  });

  test('what can not be shown is reported as failed, with the reason', async () => {
    using world = createWorld();
    const turn = world.turn();
    world.agent([ask()], [], turn);
    const id = String(world.install.db.prepare('SELECT message_id FROM questions').get()?.message_id);
    transaction(world.install.db, () => world.questions.undeliverable(id, 'it is full', Date.now()));
    // What follows the commit.
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(
      world.reports().map(({ report }) => [report.status, report.text]),
      [['failed', 'It could not be asked: it is full']],
    );
  });
});

describe('who may answer', () => {
  test('those who asked in that turn; with nobody in particular, whoever may talk to the agent there; never a stranger', async () => {
    using world = createWorld();
    const turn = world.turn();
    const behind = world.turn('rich:mel');
    world.agent([ask()], [], turn);
    for (const by of ['rich:mel', 'rich:eve', 'rich:ann'])
      assert.equal(await world.press(0, by), 'This question is not for you.');
    assert.equal(await world.press(0), '✅ You: Blue');
    world.end(turn, 'reply');
    world.end(behind, 'reply');
    world.agent([ask({ question: 'k2' })]);
    assert.equal(await world.press(0, 'rich:eve'), 'This question is not for you.');
    assert.equal(await world.press(0, 'rich:mel'), '✅ You: Blue');
  });

  test('rights are those of the moment of the answer', async () => {
    using world = createWorld();
    world.agent([ask()], [], world.turn());
    world.install.db.exec("DELETE FROM agent_group_members WHERE user_id = 'rich:kim'");
    assert.equal(await world.press(0), 'This question is not for you.');
    assert.equal(world.says('blue'), undefined);
  });

  test('a card that was passed on, another chat, another message: nothing', async () => {
    using world = createWorld();
    world.agent([ask()], [], world.turn());
    const { db, deliveries } = world.install;
    const id = String(db.prepare('SELECT message_id FROM questions').get()?.message_id);
    transaction(db, () => deliveries.sent(id, 'p1', Date.now()));
    for (const where of [{ platformId: 'other' }, { channelType: 'plain' }, { platformMessageId: 'p2' }]) {
      assert.match(await world.press(0, 'rich:kim', where), /^This card was passed on/);
    }
    assert.equal(await world.press(0, 'rich:kim', { platformMessageId: 'p1' }), '✅ You: Blue');
  });

  test('two at the same instant: one answer', async () => {
    using world = createWorld();
    world.agent([ask()]);
    const answers = await Promise.all([world.press(0, 'rich:kim'), world.press(1, 'rich:mel')]);
    assert.deepEqual(answers, ['✅ You: Blue', '✅ Kim: Blue']);
  });
});

describe('by text', () => {
  test('a label in any spelling; a number only where numbers are shown; other words are none of it', () => {
    using world = createWorld();
    world.agent([ask()], [], world.turn());
    for (const text of ['2', '3', 'bluer', 'red or blue', '/red', '']) assert.equal(world.says(text), undefined, text);
    assert.equal(world.says('red', { platformId: 'elsewhere' }), undefined);
    assert.equal(world.says('red', { threadId: 't' }), undefined);
    assert.equal(world.says('red', { attachments: [{ type: 'file', name: 'a', localPath: '/none' }] }), undefined);
    assert.partialDeepStrictEqual(world.says('@bot  RED!'), { text: '✅ You: Red' });
    assert.equal(world.says('red'), undefined, 'it is answered');
  });

  test('a command is never an answer, whatever the options say', () => {
    using world = createWorld();
    world.agent([ask({ options: ['/stop', 'Red'] })], [], world.turn());
    assert.equal(world.says('/stop'), undefined);
    assert.equal(world.says('@Andy /STOP'), undefined);
    assert.partialDeepStrictEqual(world.says('red'), { text: '✅ You: Red' });
  });

  test('once no tool waits, words are for the agent, unless they reply to the question', () => {
    using world = createWorld();
    const { db, deliveries } = world.install;
    const turn = world.turn();
    world.agent([ask()], [], turn);
    assert.equal(world.questions.isWaiting(world.sessionId), true);
    world.agent([{ action: 'ask-later', question: 'k1' }], [], turn);
    assert.equal(world.questions.isWaiting(world.sessionId), false);
    const message = db.prepare('SELECT message_id FROM questions').get();
    transaction(db, () => deliveries.sent(String(message?.message_id), 'p1', Date.now()));
    assert.equal(world.says('red'), undefined);
    assert.partialDeepStrictEqual(world.says('red', { replyTo: { id: 'p1', sender: 'Andy', text: '' } }), {
      text: '✅ You: Red',
    });
  });

  test('a reply to the question is an answer in any words', () => {
    using world = createWorld();
    const { db, deliveries } = world.install;
    world.agent([ask(), ask({ question: 'k2', title: 'Size' })], [], world.turn());
    const first = db.prepare("SELECT message_id FROM questions WHERE key = 'k1'").get();
    transaction(db, () => deliveries.sent(String(first?.message_id), 'p1', Date.now()));
    const replyTo = { id: 'p1', sender: 'Andy', text: '' };
    assert.partialDeepStrictEqual(world.says('neither, green\u202e please', { replyTo }), {
      text: '✅ You answered in other words.',
    });
    const [report] = world.reports();
    assert.deepEqual(
      [report?.report.question, report?.report.text],
      ['k1', 'Kim answered in their own words: neither, green please'],
    );
  });

  test('where there are no buttons the number is enough; the newest question is meant', () => {
    using world = createWorld();
    const { db, agentId } = world.install;
    db.prepare(
      `INSERT INTO messaging_groups (id, channel_type, platform_id, created_at) VALUES ('mg-p', 'plain', 'p', '2026-01-01T00:00:00.000Z')`,
    ).run();
    db.prepare("INSERT INTO agent_destinations VALUES (?, 'p', 'channel', 'mg-p', '2026-01-01T00:00:00.000Z')").run(
      agentId,
    );
    grant(world.install, 'plain:kim', 'member');
    const place = { channel_type: 'plain', platform_id: 'p', thread_id: null };
    const { questions, sessionId, install } = world;
    const session = install.sessions.get(sessionId);
    assert.ok(session);
    for (const question of ['k1', 'k2']) {
      transaction(db, () =>
        questions.asked(session, ask({ question }), place, null, Date.now() + (question === 'k2' ? 5 : 0)),
      );
    }
    const event = { channelType: 'plain', platformId: 'p', senderId: 'plain:kim', isGroup: false };
    assert.equal(world.says('1', { ...event, senderId: 'plain:eve' }), undefined);
    assert.partialDeepStrictEqual(world.says('1', event), { text: '✅ You: Blue' });
    assert.deepEqual(
      world.reports().map(({ report }) => report.question),
      ['k2'],
    );
  });
});

describe('an agent that means no good', () => {
  test('asks where it may not, too much, the same label twice, nothing: it is told why, and nothing is shown', () => {
    using world = createWorld();
    const turn = world.turn();
    const { db, sessions } = world.install;
    const session = sessions.get(world.sessionId);
    assert.ok(session);
    transaction(db, () => world.questions.asked(session, ask({ question: 'x1' }), undefined, turn, Date.now()));
    world.agent(
      [ask({ question: 'x2', options: ['a', 'A '] }), ask({ question: 'x3', options: ['\u200b', 'b'] })],
      [],
      turn,
    );
    assert.deepEqual(
      world.reports().map(({ report }) => report.text),
      [
        'It could not be asked: you may not ask there.',
        'It could not be asked: an option is empty, or there twice.',
        'It could not be asked: an option is empty, or there twice.',
      ],
    );
    assert.deepEqual(world.said(), []);
    for (let n = 0; n < 40; n += 1) world.agent([ask({ question: `many-${n}` })], [], turn);
    assert.equal(world.said().length, 20);
    assert.equal(world.reports().filter(({ report }) => /20 questions are open already/.test(report.text)).length, 20);
    for (let n = 0; n < 100; n += 1) world.agent([ask({ question: `more-${n}` })], [], turn);
    assert.ok(world.reports().length <= 50);
    assert.ok(Number(db.prepare('SELECT count(*) AS n FROM questions').get()?.n) < 80);
  });

  test('can not have ever more reported by asking again what has ended', () => {
    using world = createWorld();
    const turn = world.turn();
    const known = Array.from({ length: 80 }, (_, n) => ask({ question: `k-${n}`, options: ['a', 'A '] }));
    for (const one of known) {
      world.agent([one], [], turn);
      world.agent(
        [],
        world.reports().map(({ row }) => ack(row.id)),
      );
    }
    assert.deepEqual(world.reports(), []);
    world.agent(known, [], turn);
    world.agent(known, [], turn);
    assert.equal(world.reports().length, 50);
  });

  test('names of other sessions’ questions and reports are its own, or nothing', async () => {
    using world = createWorld();
    const { db, sessions, agentId, chatId } = world.install;
    world.agent([ask()], [], world.turn());
    const other = transaction(db, () => sessions.ensure(agentId, chatId, null, Date.now()));
    await world.press(0);
    const [mine] = world.reports();
    transaction(db, () => {
      world.questions.read(other, mine?.row.id ?? '');
      world.questions.askedLater(other, 'k1', Date.now());
    });
    assert.deepEqual(world.reports().length, 1);
    assert.deepEqual(world.told(), []);
    assert.deepEqual(world.questions.reports(other.id), []);
  });

  test('what it shows is without marks that can not be seen, and bears no buttons but its own', () => {
    using world = createWorld();
    world.agent(
      [ask({ title: 'a\u202eb\nc', text: 'x\u200by', options: ['q:evil:1', 'a:appr-1:0'] })],
      [],
      world.turn(),
    );
    const [shown] = world.said();
    assert.match(shown?.text ?? '', /^❓ ab c\nxy\n/);
    for (const { data } of shown?.card?.buttons ?? []) assert.match(data, /^q:q-[a-z0-9]+:[01]$/);
  });
});
