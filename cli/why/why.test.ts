import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createAudit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import { NanoError } from '../../src/errors.ts';
import { ensureUser } from '../../src/people/roles.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { readInvocation } from '../arguments.ts';
import { commands } from '../commands/index.ts';
import { DEEDS } from './entries.ts';
import { tell } from './find.ts';
import { REASONS, reasonInWords } from './reasons.ts';

const chat = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
const AT = Date.parse('2026-02-01T10:00:00.000Z');
const at = (seconds: number) => new Date(AT + seconds * 1000).toISOString();

/** All of a story in one string, its lines in order. */
function story(db: DatabaseSync, word?: string): string {
  const { about, lines, now } = tell(db, word);
  const sorted = lines.toSorted((a, b) => a.at.localeCompare(b.at)).map((line) => `${line.at} ${line.text}`);
  return [about, ...sorted, ...now].join('\n');
}

function receive(install: Install, id: string, trigger = true): void {
  const { messages, newSession } = install;
  ensureUser(install.db, 'test:ada', 'Ada', AT);
  messages.addInbound(
    {
      ...chat,
      id,
      sessionId: newSession().id,
      kind: 'chat',
      timestamp: at(0),
      trigger,
      content: { text: `what of ${id}?` },
      platformMessageId: `p-${id}`,
      userId: 'test:ada',
    },
    AT,
  );
}

function say(install: Install, inReplyTo: string, content: unknown, kind = 'chat'): void {
  const { deliveries, newSession } = install;
  const session = newSession();
  deliveries.addOutbound(
    {
      ...chat,
      id: `${session.id}.${inReplyTo}`,
      sessionId: session.id,
      seq: null,
      kind,
      timestamp: at(1),
      inReplyTo,
      content: JSON.stringify(content),
    },
    AT + 1000,
  );
}

test('how a message ended is told: an answer, silence with its reason, a notice, a stop, not yet', () => {
  using install = createInstall();
  const { db, messages } = install;
  const session = install.newSession().id;
  for (const id of ['answered', 'silent', 'quiet', 'given-up', 'stopped', 'deleted', 'open', 'tried'])
    receive(install, id);
  receive(install, 'beside', false);
  say(install, 'answered', { text: 'the answer' });
  install.deliveries.queue(`${session}.answered`, null, AT + 1000);
  install.deliveries.failed(`${session}.answered`, 'the chat was left', AT + 2000);
  say(install, 'silent', { action: 'silence', answers: ['silent'], reason: 'not for me' }, 'system');
  for (const [id, status, outcome] of [
    ['answered', 'completed', 'reply'],
    ['silent', 'completed', 'silence'],
    ['quiet', 'completed', 'silence'],
    ['given-up', 'failed', 'notice'],
    ['stopped', 'completed', 'stopped'],
    ['deleted', 'completed', 'withdrawn'],
  ] as const)
    messages.settle(session, id, status, outcome, AT + 3000);
  messages.retry(session, 'tried', AT + 9000);
  for (const [word, ...told] of [
    [
      'answered',
      /Ada \(test:ada\) wrote “what of answered\?”/,
      /because Andy answers everything there/,
      /is not known to Andy/,
    ],
    ['p-answered', /The host said “the answer”/, /It was not delivered: the chat was left\./],
    [`${session}.answered`, /wrote “what of answered\?”/],
    ['silent', /The agent decided to say nothing: “not for me”\./],
    ['quiet', /Andy ended its turn without saying anything\./],
    ['given-up', /It was given up after one try; the chat was told why\./],
    ['stopped', /It was stopped/],
    ['deleted', /It was deleted on the platform before its agent had read it\./],
    ['open', /It is not answered yet\.\n/],
    ['tried', /It is not answered yet, after one try, the next one not before 2026-02-01T10:00:09/],
    ['beside', /given along as context/],
    ['give', /^Message given-up in terminal\/local/],
  ] as const) {
    for (const expected of told) assert.match(story(db, word), expected, word);
  }
  db.prepare("INSERT INTO budgets VALUES (?, 'day', 'usd', 0, 'x', '')").run(install.agentId);
  assert.match(
    story(db, 'open'),
    /Andy may spend nothing today: what is asked waits\. `ncl budgets set 10 --agent Andy` raises it\./,
  );
  assert.doesNotMatch(story(db, 'answered'), /budget/);
  assert.match(story(db, session), /What became of its messages: pending 2, silence 2/);
});

test('a message that waits, was overheard, was held back, or was for the host', () => {
  using install = createInstall();
  const { db } = install;
  const { id: wiring } = db.prepare('SELECT id FROM messaging_group_agents').get() ?? {};
  const origin = "'terminal', 'local', NULL";
  receive(install, 'let-in');
  db.exec(`
    INSERT INTO approvals (id, kind, status, subject, agent_group_id, requested_by, channel_type, platform_id, thread_id, title, body,
      options, created_at, expires_at, escalate_at, decided_at, decided_by, decision, result)
    VALUES ('appr-1', 'unknown-sender', 'approved', 's1', NULL, 'test:ada', ${origin}, 'Ada wants to talk to Andy', '',
        '[{"label":"Allow"},{"label":"Refuse"}]', '${at(-9)}', '${at(99)}', NULL, '${at(0)}', 'terminal:owner', 0, 'Ada may talk to Andy now.'),
      ('appr-2', 'unknown-sender', 'pending', 's2', NULL, 'test:eve', ${origin}, 'Eve wants to talk to Andy', '',
        '[]', '${at(5)}', '${at(99)}', '${at(50)}', NULL, NULL, NULL, NULL);
    INSERT INTO approval_cards VALUES ('appr-1', 'terminal:owner', 'terminal', 'local', 'note-1', '${at(-8)}'),
      ('appr-2', '', 'terminal', 'local', '', '${at(6)}');
    INSERT INTO held_events (approval_id, channel_type, platform_id, platform_message_id, event, at)
    VALUES ('appr-2', 'terminal', 'local', 'waits', '{}', '${at(5)}');
    INSERT INTO backlog (wiring_id, thread_id, platform_message_id, user_id, content, timestamp)
    VALUES ('${wiring}', '', 'overheard', 'test:ada', '{}', '${at(7)}');
    INSERT INTO messages (id, direction, kind, timestamp, status, content, user_id, created_at)
    VALUES ('command', 'in', 'chat', '${at(8)}', 'completed', '{"text":"/status"}', 'test:ada', '${at(8)}')`);
  transaction(db, () =>
    createAudit(db).record(
      {
        actor: 'terminal:owner',
        action: 'member.added',
        subject: 'test:ada',
        detail: { agentGroupId: install.agentId, approval: 'appr-1' },
      },
      AT,
    ),
  );
  for (const [word, ...told] of [
    ['let-in', /It had waited for approval appr-1 .* until Owner \(terminal:owner\) allowed it/],
    [
      'appr-1',
      /Owner \(terminal:owner\) was asked in terminal\/local/,
      /allowed it by “Allow”: Ada may talk to Andy now\.\n/,
    ],
    ['appr-1', /Owner \(terminal:owner\) made Ada \(test:ada\) a member \(agent=Andy approval=appr-1\)\./],
    [
      'waits',
      /^Message waits, which waits for approval appr-2/,
      /Nobody who may decide could be reached/,
      /Waiting for it: one message/,
    ],
    ['appr-2', /test:eve asked: Eve wants to talk to Andy/, /The next one is asked at/],
    ['overheard', /Ada \(test:ada\) wrote it beside Andy in terminal\/local/],
    ['command', /It was for the host itself/],
    ['test:ada', /made Ada \(test:ada\) a member/],
    ['terminal/local', /Approval appr-2 waits for a decision/],
  ] as const) {
    for (const expected of told) assert.match(story(db, word), expected, word);
  }
});

test('a chat in which nothing is answered says why, and what can be done', () => {
  using install = createInstall();
  const { db, agentId } = install;
  const { id: wiring } = db.prepare('SELECT id FROM messaging_group_agents').get() ?? {};
  db.exec(`UPDATE messaging_group_agents SET engage_mode = 'mention', ignored_message_policy = 'accumulate'`);
  for (const reason of ['not-mentioned, kept', 'unknown-sender', 'taken', 'unknown-chat'])
    db.prepare("INSERT INTO dropped_messages VALUES ('terminal', 'local', ?, 12, ?, ?, 'test:eve')").run(
      reason,
      at(1),
      at(2),
    );
  db.prepare("INSERT INTO dropped_messages VALUES ('test', 'x/y', 'something-new', 1, ?, ?, NULL)").run(at(1), at(2));
  const told = story(db, 'terminal/local');
  assert.match(told, /12 messages since .* were kept as context, and not answered, since no agent was addressed/);
  assert.match(told, /answers what mentions it, calls it by its name, or answers it\./);
  assert.match(told, new RegExp(`ncl wirings update ${wiring} --engage-mode pattern --engage-pattern`));
  assert.match(told, new RegExp(`ncl users create test:eve\`, then \`ncl members add test:eve ${agentId}\``));
  assert.doesNotMatch(told, /--exclusive no|Address the bot there/, 'of before, and settled since');
  assert.match(
    story(db, 'test/x/y'),
    /^Chat test\/x\/y, which is not known\n.*since something-new\. It came from somebody\./,
  );
});

test('what is not there, or may be several, is said so', () => {
  using install = createInstall();
  receive(install, 'one-1');
  receive(install, 'one-2');
  for (const [word, code] of [
    ['one-', 'NC_AMBIGUOUS'],
    ['nothing', 'NC_NOT_FOUND'],
    ['', 'NC_NOT_FOUND'],
    ['terminal/nowhere', 'NC_NOT_FOUND'],
    ["'; DROP TABLE messages; --", 'NC_NOT_FOUND'],
  ])
    assert.throws(
      () => story(install.db, word ?? ''),
      (error) => error instanceof NanoError && error.code === code,
      word,
    );
});

test('without a word it is the newest message that came in', () => {
  using install = createInstall();
  assert.throws(() => story(install.db), /There is no message yet\./);
  receive(install, 'one-1');
  receive(install, 'one-2');
  assert.match(story(install.db), /what of one-2\?/);
});

test('every deed that is recorded is in words', () => {
  const root = join(import.meta.dirname, '../..');
  const sources = globSync('{src,admin,assistant,cli}/**/*.ts', { cwd: root }).filter(
    (file) => !/\.test\.ts$/.test(file),
  );
  const recorded = sources.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const tasks = [...text.matchAll(/changeTask\(id, '([a-z-]+)'/g)].map(([, what]) => `task.${what}`);
    const others = text.matchAll(/action: (?:\w+ \? )?'([a-z-]+\.[a-z-]+)'(?: : '([a-z-]+\.[a-z-]+)')?/g);
    return [...tasks, ...[...others].flatMap(([, one, other]) => [one, other])].filter((one) => one !== undefined);
  });
  assert.ok(recorded.length >= 30, recorded.join());
  assert.deepEqual(
    recorded.filter((action) => !(action in DEEDS)),
    [],
  );
});

test('every reason that the host counts is in words', () => {
  const root = join(import.meta.dirname, '../..');
  const sources = globSync('{src,admin}/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  const counted = sources.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return [...text.matchAll(/dropped(?:\(|: )(?:event, )?(?:chat \? )?'([a-z-]+)'/g)].map(([, reason = '']) => reason);
  });
  assert.ok(counted.length >= 5, counted.join());
  for (const reason of new Set(counted)) assert.notEqual(reasonInWords(reason).why, reason);
});

test('every command that a reason advises is one', () => {
  const advised = Object.values(REASONS).flatMap(({ remedy = '' }) => [...remedy.matchAll(/`ncl ([^`]+)`/g)]);
  assert.ok(advised.length >= 8);
  for (const [shown, words = ''] of advised) {
    const read = readInvocation(commands, words.split(' '));
    assert.ok(read.ok && read.value.command, `${shown}: ${JSON.stringify(read)}`);
  }
});
