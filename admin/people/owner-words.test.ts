import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createAudit } from '../../src/audit/index.ts';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Session } from '../../src/db/sessions.ts';
import { createRoles } from '../../src/people/roles.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { createDirectoryWithoutHost } from '../directory/without-host.ts';
import { issueOwnerCode } from './issue-owner-code.ts';
import { createOwnerWords } from './owner-words.ts';

function setup(install: Install) {
  const { db } = install;
  const audit = createAudit(db);
  const begun: Session[] = [];
  const directory = createDirectoryWithoutHost(db, audit, join(install.root, 'groups'));
  const words = createOwnerWords({ db, audit, directory, begin: (session) => begun.push(session) });
  const say = (over: Partial<InboundEvent>, now = Date.now()) => {
    const said = event(over);
    if (!words.mayBe(said)) return undefined;
    const answer = transaction(db, () => words.answer(said, now));
    if (answer && 'text' in answer) answer.after();
    return answer;
  };
  /** What it says to the sender; undefined: the text is for somebody else. */
  const text = (over: Partial<InboundEvent>, now?: number) => {
    const answer = say(over, now);
    return answer && 'text' in answer ? answer.text : answer?.dropped;
  };
  return { text, begun, roles: createRoles(db) };
}

const event = (over: Partial<InboundEvent>): InboundEvent => ({
  channelType: 'chat',
  platformId: 'dm-ann',
  threadId: null,
  platformMessageId: 'p1',
  senderId: 'chat:ann',
  senderName: 'Ann',
  text: 'hello',
  timestamp: '2026-11-21T08:00:00.000Z',
  isMention: true,
  isGroup: false,
  ...over,
});
const count = ({ db }: Install, table: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
const actions = ({ db }: Install) =>
  db
    .prepare('SELECT action FROM audit_log ORDER BY seq')
    .all()
    .map((row) => row.action);

describe('an owner code', () => {
  test('from somebody whom nobody authenticated makes no owner, and is still good', () => {
    using install = createInstall();
    const { text, roles } = setup(install);
    const { code } = issueOwnerCode(install.root, undefined, 60);
    const forged = { senderId: 'email-unverified:ann@there.test', text: code };
    assert.match(text(forged) ?? '', /Anybody could have written this/);
    assert.equal(roles.isOwner(forged.senderId), false);
    assert.match(text({ text: code }) ?? '', /You are the owner now/);
  });

  test('makes its sender the owner, wires the chat, and lets the agent speak first; once', () => {
    using install = createInstall();
    const { text, begun, roles } = setup(install);
    const before = actions(install).length;
    const { code, agent } = issueOwnerCode(install.root, undefined, 60);
    assert.match(code, /^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/);
    assert.equal(agent, 'Andy');
    assert.equal(roles.isOwner('chat:ann'), false);
    assert.equal(text({ text: ` ${code.toLowerCase()}\n` }), 'You are the owner now, and Andy is here for you.');
    assert.equal(roles.isOwner('chat:ann'), true);

    const chat = install.db.prepare("SELECT * FROM messaging_groups WHERE platform_id = 'dm-ann'").get();
    assert.deepEqual([chat?.name, chat?.is_group, chat?.unknown_sender_policy], ['Ann', 0, 'strict']);
    const wiring = install.db
      .prepare('SELECT * FROM messaging_group_agents WHERE messaging_group_id = ?')
      .get(chat?.id ?? '');
    assert.deepEqual(
      [wiring?.engage_mode, wiring?.engage_pattern, wiring?.agent_group_id],
      ['pattern', '.', install.agentId],
    );
    const dm = install.db.prepare('SELECT user_id, channel_type, messaging_group_id FROM user_dms').get();
    assert.deepEqual({ ...dm }, { user_id: 'chat:ann', channel_type: 'chat', messaging_group_id: chat?.id });
    const [first] = install.db
      .prepare("SELECT kind, trigger, platform_id, content, session_id FROM messages WHERE kind = 'task'")
      .all();
    assert.deepEqual([first?.trigger, first?.platform_id, first?.session_id], [1, 'dm-ann', begun[0]?.id]);
    assert.match(JSON.parse(String(first?.content)).prompt, /^# Welcome\n/);
    const made = ['owner-code.made', 'owner-code.used', 'role.granted', 'chat.created', 'wiring.created'];
    assert.deepEqual(actions(install).slice(before), made);

    assert.match(text({ text: code, senderId: 'chat:mallory', platformId: 'dm-mallory' }) ?? '', /no code that I know/);
    assert.equal(roles.isOwner('chat:mallory'), false);
    assert.equal(count(install, 'messaging_groups'), 2);
    assert.doesNotMatch(JSON.stringify(install.db.prepare('SELECT * FROM owner_codes').all()), new RegExp(code));
  });

  test('of another agent: that one speaks; a chat that has an agent keeps it', () => {
    using install = createInstall();
    const { text, begun } = setup(install);
    const bea = addAgent(install, 'Bea');
    const forBea = issueOwnerCode(install.root, 'Bea', 60);
    assert.equal(text({ text: forBea.code }), 'You are the owner now, and Bea is here for you.');
    assert.equal(begun[0]?.agentGroupId, bea);
    const { code } = issueOwnerCode(install.root, undefined, 60);
    assert.equal(text({ text: code }), 'You are the owner now, and Bea is here for you.');
    assert.equal(begun.length, 1, 'it has spoken there');
    assert.throws(() => issueOwnerCode(install.root, 'Nobody', 60), /There is no agent "Nobody"/);
  });

  test('with no agent at all there is an owner all the same', () => {
    using install = createInstall();
    const { text, roles } = setup(install);
    const { code } = issueOwnerCode(install.root, undefined, 60);
    for (const table of ['agent_destinations', 'messaging_group_agents', 'container_configs', 'agent_groups'])
      install.db.exec(`DELETE FROM ${table}`);
    assert.match(text({ text: code }) ?? '', /There is no agent yet/);
    assert.equal(roles.isOwner('chat:ann'), true);
  });

  test('too old, it is like any wrong one', () => {
    using install = createInstall();
    const { text, roles } = setup(install);
    const { code } = issueOwnerCode(install.root, undefined, 1);
    const wrong = text({ text: 'ABCD-2345' });
    assert.match(wrong ?? '', /no code that I know/);
    assert.equal(text({ text: code }, Date.now() + 61_000), wrong);
    assert.equal(roles.isOwner('chat:ann'), false);
  });

  test('in a group it is burnt, and said to be; what is none there is not heard', () => {
    using install = createInstall();
    const { text, roles } = setup(install);
    const { code } = issueOwnerCode(install.root, undefined, 60);
    const group = { isGroup: true, platformId: 'family' };
    assert.equal(text({ ...group, text: 'ABCD-2345' }), undefined);
    assert.match(text({ ...group, text: code }) ?? '', /everybody here can read it: it is void now/);
    assert.match(text({ text: code }) ?? '', /no code that I know/);
    assert.equal(roles.isOwner('chat:ann'), false);
    assert.ok(actions(install).includes('owner-code.burnt'));
  });

  test('guesses have an end, for a sender and for a channel: then silence, and an entry in the log', () => {
    using install = createInstall();
    const { text, roles } = setup(install);
    const { code } = issueOwnerCode(install.root, undefined, 60);
    const guess = (sender: number, wrong = 'ABCD-2345') => text({ text: wrong, senderId: `chat:${sender}` });
    for (let tries = 0; tries < 10; tries += 1) assert.match(guess(0) ?? '', /no code/);
    assert.equal(guess(0), 'guessing-codes');
    assert.equal(guess(0, code), 'guessing-codes', 'not even the right one');
    assert.equal(actions(install).filter((action) => action === 'owner-code.guessed').length, 1);
    let heard = 0;
    for (let sender = 1; sender < 100; sender += 1) if (guess(sender) !== 'guessing-codes') heard += 1;
    assert.equal(heard, 50);
    assert.equal(guess(200, code), 'guessing-codes');
    assert.equal(
      text({ text: code, channelType: 'other', senderId: 'other:ann' })?.slice(0, 21),
      'You are the owner now',
    );
    assert.equal(roles.isOwner('chat:0'), false);
  });

  test('what looks like one is for the agent, when a member says it', () => {
    using install = createInstall();
    const { text } = setup(install);
    assert.equal(
      text({ text: 'self-made', senderId: 'terminal:owner', channelType: 'terminal', platformId: 'local' }),
      undefined,
    );
    assert.equal(text({ text: 'good-luck', senderId: 'chat:ann' }), undefined, 'o is no letter of a code');
    assert.equal(text({ text: 'the code is ABCD-2345' }), undefined);
  });
});

function addAgent({ db }: Install, name: string): string {
  const at = new Date().toISOString();
  const id = `ag-${name.toLowerCase()}`;
  db.prepare('INSERT INTO agent_groups (id, name, folder, uid_ordinal, created_at) VALUES (?, ?, ?, 2, ?)').run(
    id,
    name,
    id,
    at,
  );
  db.prepare(
    `INSERT INTO container_configs (agent_group_id, provider, assistant_name, timezone, updated_at) VALUES (?, 'demo', ?, 'UTC', ?)`,
  ).run(id, name, at);
  return id;
}
