import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { plugin } from '../../channels/web/index.ts';
import { createChats } from '../../channels/web/store/chats.ts';
import { openStore } from '../../channels/web/store/database.ts';
import { ensureUser } from '../../channels/web/store/logins.ts';
import { createMessages } from '../../channels/web/store/messages.ts';
import { ask, logIn } from '../../channels/web/testing/client.ts';
import { startStage } from '../../channels/web/testing/stage.ts';
import type { Acceptance } from '../../src/channels/adapter.ts';
import { until } from '../support/until.ts';

const id = () => crypto.randomUUID();

describe('in', () => {
  test('a message is handed over as its login says, whatever the page says', async () => {
    await using stage = await startStage();
    const ann = await logIn(stage.link('ann'));
    const own = id();
    await ann.post('/api/chats/ann/messages', { id: own, text: 'a\0b\ud800', files: [], senderId: 'web:owner' });
    const { timestamp, ...event } = stage.events[0] ?? assert.fail();
    assert.ok(Date.parse(timestamp) <= Date.now());
    assert.deepEqual(event, {
      channelType: 'web',
      platformId: 'ann',
      threadId: null,
      platformMessageId: own,
      senderId: 'web:ann',
      senderName: 'ann',
      text: 'a\ufffdb\ufffd',
      isMention: true,
      isGroup: false,
      chatName: 'Main',
    });
  });

  test('the same id twice is taken once, also at the same time and after a restart', async () => {
    await using first = await startStage({ keep: true });
    const owner = await logIn(first.link());
    const own = id();
    const { promise: stored, resolve: store } = Promise.withResolvers<Acceptance>();
    first.answer = () => stored;
    const asked = [1, 2, 3].map(() => owner.say('hello', own));
    // Its answer comes after the others have been read.
    await until(async () => (await owner.history()).length === 1);
    await owner.get('/api/chats');
    store({ status: 'stored', messageIds: ['m'] });
    const answers = await Promise.all(asked);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(first.events.length, 1);
    await first.stop();
    await using second = await startStage({ folder: first.folder });
    const again = { Cookie: owner.cookie, Origin: second.origin, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ id: own, text: 'hello', files: [] });
    const path = '/api/chats/owner/messages';
    assert.equal((await ask(second.origin, { method: 'POST', path, headers: again, body })).status, 200);
    assert.equal(second.events.length, 0);
  });

  test('one that the host did not get to answer is handed over again', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    stage.answer = () => {
      throw new Error('power cut');
    };
    const own = id();
    assert.equal((await owner.say('hello', own)).status, 500);
    assert.equal((await owner.history())[0]?.state, 'sending');
    stage.answer = () => ({ status: 'stored', messageIds: ['m'] });
    assert.equal((await owner.say('hello', own)).status, 200);
    assert.equal(stage.events.length, 1);
    assert.deepEqual(
      (await owner.history()).map(({ text, state }) => [text, state]),
      [['hello', 'stored']],
    );
  });

  test('one that a crash kept from the host is handed over at the next start, files and all', async () => {
    await using first = await startStage({ keep: true });
    const owner = await logIn(first.link());
    first.answer = () => {
      throw new Error('power cut');
    };
    const files = [await owner.upload('a.txt', 'content')];
    assert.equal((await owner.say('hello', id(), { files })).status, 500);
    await first.stop();
    await using second = await startStage({ folder: first.folder });
    await until(() => second.contents.length === 1);
    assert.deepEqual([second.events[0]?.text, second.contents], ['hello', ['content']]);
    const again = await logIn(second.link());
    await until(async () => (await again.history())[0]?.state === 'stored');
  });

  test('files that no message takes push out the oldest of their kind, and no others', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    const kept = await owner.upload('kept.txt', 'x');
    await owner.say('look', id(), { files: [kept] });
    const first = await owner.upload('first.txt', 'x');
    for (let n = 0; n < 40; n++) await owner.upload(`${n}.txt`, 'x');
    assert.equal((await owner.get(`/files/${first}`)).status, 404);
    assert.equal((await owner.get(`/files/${kept}`)).status, 200);
    assert.equal(readdirSync(join(stage.folder, 'files')).length, 41);
  });

  const outcomes: [Acceptance, string, RegExp?][] = [
    [{ status: 'stored', messageIds: [] }, 'stored'],
    [{ status: 'duplicate' }, 'stored'],
    [{ status: 'answered' }, 'answered'],
    [{ status: 'held' }, 'held', /waits/],
    [{ status: 'dropped', reason: 'unknown-chat' }, 'dropped', /No agent listens/],
    [{ status: 'refused', code: 'NC_BUSY', sentence: 'Wait a second.' }, 'refused', /^Wait a second\.$/],
  ];
  for (const [acceptance, state, note] of outcomes) {
    test(`${acceptance.status} is shown`, async () => {
      await using stage = await startStage();
      const owner = await logIn(stage.link());
      stage.answer = () => acceptance;
      await owner.say('hello', id());
      const [line] = await owner.history();
      assert.equal(line?.state, state);
      if (note) assert.match(line?.note ?? '', note);
    });
  }

  test('the owner, in a new chat, reads where the question is, and that it has its answer', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    const { id: plans } = z.object({ id: z.string() }).parse((await owner.post('/api/chats', { name: 'Plans' })).json);
    const { id: more } = z.object({ id: z.string() }).parse((await owner.post('/api/chats', { name: 'More' })).json);
    const note = async (chat: string) => (await owner.history(chat))[0]?.note;
    stage.answer = () => ({ status: 'held' });
    await owner.say('hello', id(), { chat: plans });
    assert.equal(await note(plans), 'It waits until the owner has decided.');
    const card = { title: 'May an agent listen?', body: '', buttons: [{ data: 'y', label: 'Yes' }] };
    await stage.say('May an agent listen?', { id: 'c', card });
    assert.equal(await note(plans), 'It waits for you: the question is in your chat “Main”.');
    await owner.say('hello', id(), { chat: more });
    assert.equal(await note(more), 'It waits for you: the question is in your chat “Main”.');
    await stage.say('And here?', { id: 'd', platformId: more, card });
    assert.equal(await note(more), 'It waits for your answer to the question here.');
    await stage.say('No.', { platformId: more, edits: 'd' });
    assert.equal(await note(more), 'It waits for you: the question is in your chat “Main”.');
    await stage.say('Yes.', { edits: 'c' });
    assert.equal(await note(plans), 'The question was answered in your chat “Main”.');
  });

  test('somebody else, who has nothing to decide, waits for the owner', async () => {
    await using stage = await startStage();
    const ann = await logIn(stage.link('ann'));
    stage.answer = () => ({ status: 'held' });
    const card = { title: 'Tea?', body: '', buttons: [{ data: 'y', label: 'Yes' }] };
    await stage.say('Tea?', { platformId: 'ann', card });
    const { id: chat } = z.object({ id: z.string() }).parse((await ann.post('/api/chats', { name: 'Plans' })).json);
    await ann.say('hello', id(), { chat });
    assert.equal((await ann.history(chat))[0]?.note, 'It waits until the owner has decided.');
  });

  test('files come with their message, once, and stay in the history', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    const files = [await owner.upload('a.txt', 'first'), await owner.upload('a.txt', 'second')];
    assert.equal((await owner.say('', id(), { files })).status, 200);
    assert.deepEqual(stage.contents, ['first', 'second']);
    assert.deepEqual(
      stage.events[0]?.attachments?.map(({ name, size, type }) => [name, size, type]),
      [
        ['a.txt', 5, 'file'],
        ['a.txt', 6, 'file'],
      ],
    );
    assert.equal((await owner.say('again', id(), { files })).status, 400);
    assert.equal((await owner.get(`/files/${files[1]}`)).body, 'second');
    // As the host does it with what it took.
    for (const { localPath } of stage.events[0]?.attachments ?? []) rmSync(localPath);
    assert.equal((await owner.get(`/files/${files[0]}`)).body, 'first');
  });

  test('a button that was never shown is not pressed', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    await stage.say('May I?', {
      id: 'card',
      card: { title: 'May I?', body: '', buttons: [{ data: 'yes', label: 'Yes' }] },
    });
    const press = (message: string, data: string) => owner.post('/api/chats/owner/press', { message, data });
    assert.equal((await press('card', 'root')).status, 409);
    assert.equal((await press('other', 'yes')).status, 409);
    assert.deepEqual((await press('card', 'yes')).json, { answer: 'Allowed.' });
    assert.deepEqual(
      stage.presses.map(({ senderId, platformMessageId, data }) => [senderId, platformMessageId, data]),
      [['web:owner', 'card', 'yes']],
    );
    await stage.say('Allowed by owner', { edits: 'card' });
    assert.equal((await press('card', 'yes')).status, 409);
  });
});

describe('out', () => {
  test('a message that is sent twice stands there once, also after a restart', async () => {
    await using first = await startStage({ keep: true });
    assert.deepEqual(await first.say('hello', { id: 'one' }), { status: 'sent', platformMessageId: 'one' });
    assert.deepEqual(await first.say('hello', { id: 'one' }), { status: 'sent', platformMessageId: 'one' });
    const path = join(first.folder, 'lent');
    writeFileSync(path, 'x');
    const files = [{ name: 'x.txt', path, size: 1 }];
    for (let times = 0; times < 2; times++) await first.say('with a file', { id: 'two', files });
    assert.equal(readdirSync(join(first.folder, 'files')).length, 1);
    await first.stop();
    await using second = await startStage({ folder: first.folder });
    assert.equal((await second.say('hello', { id: 'one' })).status, 'sent');
    const owner = await logIn(second.link());
    assert.equal((await owner.history()).length, 2);
  });

  test('a chat that is not there is an error for good; after the end it may come later', async () => {
    await using stage = await startStage();
    const nowhere = await stage.say('hello', { platformId: 'nobody' });
    assert.equal(nowhere.status === 'failed' && nowhere.retryable, false);
    await stage.stop();
    const away = await stage.say('hello');
    assert.equal(away.status === 'failed' && away.offline, true);
  });

  test('an edit replaces what was said, buttons and all; one of nothing fails for good', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    await stage.say('May I?', {
      id: 'c',
      card: { title: 'May I?', body: 'x', buttons: [{ data: 'y', label: 'Yes' }] },
    });
    assert.deepEqual(await stage.say('Done.', { id: 'd', edits: 'c' }), { status: 'sent', platformMessageId: 'c' });
    const [line, ...others] = await owner.history();
    assert.deepEqual([line?.text, line?.card, line?.edited, others.length], ['Done.', undefined, true, 0]);
    await stage.say('It', { id: 'g' });
    const edited = async () => (await owner.history()).at(-1)?.edited;
    await stage.say('It grows', { edits: 'g' });
    assert.equal(await edited(), false);
    await stage.say('It is another', { edits: 'g' });
    await stage.say('It is another one', { edits: 'g' });
    assert.equal(await edited(), true);
    const lost = await stage.say('Done.', { edits: 'never' });
    assert.equal(lost.status === 'failed' && lost.retryable, false);
  });

  test('who speaks is kept, also where it was not kept at first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-web-'));
    const old = openStore(folder);
    ensureUser(old, 'owner', Date.now());
    old.exec(`ALTER TABLE messages DROP COLUMN speaker;
      INSERT INTO messages (rev, chat, author, key, at, text, state) VALUES (2, 'owner', 'agent', 'k', '', 'old', 'stored')`);
    old.close();
    await using stage = await startStage({ folder });
    const owner = await logIn(stage.link());
    await stage.say('new', { id: 'n', speaker: 'Andy' });
    await stage.say('newer', { edits: 'n' });
    assert.deepEqual(
      (await owner.history()).map(({ text, speaker }) => [text, speaker]),
      [
        ['old', undefined],
        ['newer', 'Andy'],
      ],
    );
  });

  test('a file is copied, and its name leads nowhere', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    const path = join(stage.folder, 'lent');
    writeFileSync(path, 'forty-two');
    await stage.say('here', { files: [{ name: '../../report.txt', path, size: 9 }] });
    writeFileSync(path, 'changed');
    const [file] = (await owner.history())[0]?.files ?? [];
    assert.equal(file?.name, 'report.txt');
    assert.equal((await owner.get(`/files/${file?.id}`)).body, 'forty-two');
    const missing = await stage.say('x', { id: 'm', files: [{ name: 'x', path: '/nowhere/x', size: 1 }] });
    assert.equal(missing.status === 'failed' && missing.retryable, true);
    assert.equal((await owner.history()).length, 1);
  });

  test('a page that comes back is told what it missed, once and in order', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    for (const text of ['one', 'two', 'three']) await stage.say(text, { id: text });
    await stage.say('TWO', { edits: 'two' });
    const stream = owner.get('/api/stream', { 'Last-Event-ID': '2' });
    await stage.say('four');
    stage.adapter.typing('owner', null, true);
    stage.adapter.settled?.('owner', 'unknown', 'reply');
    await owner.post('/api/logout', { everywhere: false });
    const { body, headers } = await stream;
    assert.match(String(headers['content-type']), /^text\/event-stream/);
    const events = [...body.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, event, data = '']) => [
      event,
      JSON.parse(data),
    ]);
    const texts = events.filter(([event]) => event === 'message').map(([, said]) => said.text);
    assert.deepEqual(texts, ['three', 'TWO', 'four']);
  });

  test('one that missed too much, or knows more than there is, begins anew', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    for (let n = 0; n < 501; n++) await stage.say(`${n}`);
    for (const since of [0, 9_999]) {
      const stream = owner.get(`/api/stream?since=${since}`);
      const other = await logIn(stage.link());
      await until(async () => (await other.get('/api/chats')).status === 200);
      await owner.post('/api/logout', { everywhere: true });
      assert.match((await stream).body, /event: reset/);
      Object.assign(owner, await logIn(stage.link()));
    }
  });
});

describe('chats', () => {
  test('are made, named, listed and found, each for its user', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    await logIn(stage.link('ann'));
    const made = await owner.post('/api/chats', { name: '  Plans \u202E\n for\tlater ' });
    assert.match(JSON.stringify(made.json), /"name":"Plans for later"/);
    assert.equal((await owner.post('/api/chats', { name: ' \n' })).status, 400);
    assert.equal((await owner.post('/api/chats/owner/name', { name: 'Home' })).status, 200);
    const listed = await stage.adapter.listChats?.();
    assert.deepEqual(listed?.map(({ name }) => name).sort(), ['Home', 'Main (ann)', 'Plans for later']);
    assert.equal(await stage.adapter.openDm?.('ann'), 'ann');
    assert.equal(await stage.adapter.openDm?.('nobody'), undefined);
  });

  test('what was read stays read', async () => {
    await using stage = await startStage();
    const owner = await logIn(stage.link());
    await stage.say('one');
    await stage.say('two');
    const unread = async () => /"unread":(\d+)/.exec((await owner.get('/api/chats')).body)?.[1];
    assert.equal(await unread(), '2');
    const [first] = await owner.history();
    await owner.post('/api/chats/owner/read', { seq: first?.seq });
    assert.equal(await unread(), '1');
    await owner.post('/api/chats/owner/read', { seq: 1_000_000 });
    await stage.say('three');
    assert.equal(await unread(), '1');
  });

  test('history is bounded, oldest first', async () => {
    await using stage = await startStage();
    await stage.stop();
    const db = openStore(stage.folder);
    ensureUser(db, 'owner', 0);
    const messages = createMessages(db, 3);
    for (const text of ['a', 'b', 'c', 'd', 'e']) {
      messages.add({ chat: 'owner', author: 'agent', id: text, text, files: [], state: 'stored' }, 0);
    }
    const left = messages.page('owner', 1_000, 50).map(({ text }) => text);
    const unread = createChats(db).get('owner')?.unread;
    db.close();
    assert.deepEqual([left.join(''), unread], ['cde', 3]);
  });
});

describe('the port', () => {
  test('is the next free one when somebody has it', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await using stage = await startStage({ settings: { PORT: String(port) } });
    assert.ok(Number(new URL(stage.origin).port) > port);
    taken.close();
    const { ok, sentence } = await plugin.test(stage.context);
    assert.deepEqual([ok, sentence], [true, `The page is at ${stage.origin}.`]);
  });

  for (const [name, value] of [
    ['PORT', '80'],
    ['PORT', 'x'],
    ['PORT', '70000'],
    ['ORIGIN', 'example.org'],
    ['ORIGIN', 'ftp://example.org'],
    ['ORIGIN', 'https://example.org/path'],
  ] as const) {
    test(`${name} can't be ${value}`, async () => {
      await assert.rejects(startStage({ settings: { [name]: value } }), { code: 'NC_CHANNEL' });
    });
  }

  test('behind a reverse proxy the page has that name too, and links lead there', async () => {
    await using stage = await startStage({ settings: { PORT: '0', ORIGIN: 'https://chat.example.org' } });
    assert.match(stage.link(), /^https:\/\/chat\.example\.org\/login#/);
  });
});
