import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createInstall, type Install } from '../../test/support/central.ts';
import type { InboundEvent } from '../channels/adapter.ts';
import { createBacklog } from './backlog.ts';

let count = 0;
const event = (over: Partial<InboundEvent> = {}): InboundEvent => {
  count += 1;
  return {
    channelType: 'terminal',
    platformId: 'local',
    threadId: null,
    platformMessageId: `p${count}`,
    senderId: 'terminal:ann',
    senderName: 'Ann',
    text: `line ${count}`,
    timestamp: '2026-11-21T08:00:00.000Z',
    isMention: false,
    isGroup: true,
    ...over,
  };
};
const wiringOf = ({ db }: Install) => String(db.prepare('SELECT id FROM messaging_group_agents').get()?.id);
const texts = ({ db }: Install, where = '1') =>
  db
    .prepare(`SELECT content, trigger FROM messages WHERE direction = 'in' AND ${where} ORDER BY seq`)
    .all()
    .map((row) => `${row.trigger}: ${JSON.parse(String(row.content)).text}`);

describe('the backlog', () => {
  test('comes into the session in its order, as context, once', () => {
    using install = createInstall();
    const backlog = createBacklog(install.db, install.messages);
    const wiring = wiringOf(install);
    const kept = [event({ text: 'one' }), event({ text: 'two', senderId: 'terminal:bob', senderName: 'Bob' })];
    for (const one of kept) assert.equal(backlog.keep(wiring, one), true);
    assert.equal(backlog.keep(wiring, kept[0] ?? event()), false, 'the platform sent it again');
    assert.equal(install.sessions.list().length, 0, 'no session is made for it');
    const session = install.newSession();
    backlog.moveTo(session.id, wiring, event(), Date.now());
    backlog.moveTo(session.id, wiring, event(), Date.now());
    assert.deepEqual(texts(install), ['0: one', '0: two']);
  });

  test('of one thread stays out of another', () => {
    using install = createInstall();
    const backlog = createBacklog(install.db, install.messages);
    const wiring = wiringOf(install);
    backlog.keep(wiring, event({ threadId: 'a', text: 'in a' }));
    backlog.keep(wiring, event({ threadId: 'b', text: 'in b' }));
    backlog.moveTo(install.newSession().id, wiring, event({ threadId: 'b' }), Date.now());
    assert.deepEqual(texts(install), ['0: in b']);
  });

  test('holds the newest of a thread, and not more in all than it may', () => {
    using install = createInstall();
    const backlog = createBacklog(install.db, install.messages);
    const wiring = wiringOf(install);
    for (let at = 0; at < 60; at += 1) backlog.keep(wiring, event({ threadId: 'long', text: `${at}` }));
    for (let at = 0; at < 2_100; at += 1) backlog.keep(wiring, event({ threadId: `t${at}` }));
    assert.equal(install.db.prepare('SELECT count(*) AS n FROM backlog').get()?.n, 2_000);
    const session = install.newSession();
    for (let at = 0; at < 60; at += 1) backlog.keep(wiring, event({ threadId: 'again', text: `${at}` }));
    backlog.moveTo(session.id, wiring, event({ threadId: 'again' }), Date.now());
    assert.deepEqual([texts(install).length, texts(install)[0], texts(install).at(-1)], [50, '0: 10', '0: 59']);
  });

  test('keeps the beginning of what is very long, and says so', () => {
    using install = createInstall();
    const backlog = createBacklog(install.db, install.messages);
    backlog.keep(wiringOf(install), event({ text: '😀'.repeat(50_000) }));
    const [row] = install.db.prepare('SELECT content FROM backlog').all();
    const { text } = JSON.parse(String(row?.content));
    assert.match(text, /^(😀)+… \(the rest was not kept\)$/u);
    assert.ok(text.length < 17_000);
  });

  test('keeps the names of files, and not the files', () => {
    using install = createInstall();
    const backlog = createBacklog(install.db, install.messages);
    const attachments = [{ type: 'image', name: 'cat.jpg', localPath: '/nowhere/cat.jpg' }];
    backlog.keep(wiringOf(install), event({ attachments }));
    backlog.moveTo(install.newSession().id, wiringOf(install), event(), Date.now());
    const { content } = install.db.prepare("SELECT content FROM messages WHERE direction = 'in'").get() ?? {};
    assert.deepEqual(JSON.parse(String(content)).attachments, [{ type: 'image', name: 'cat.jpg' }]);
  });
});
