import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLoginLink } from '../../channels/web/index.ts';
import { ask, type Client, logIn } from '../../channels/web/testing/client.ts';
import { type Stage, startStage } from '../../channels/web/testing/stage.ts';
import { NanoError } from '../../src/errors.ts';

let stage: Stage;
let owner: Client;
before(async () => {
  stage = await startStage();
  owner = await logIn(stage.link());
});
after(() => stage[Symbol.asyncDispose]());

const hostOf = () => new URL(stage.origin).host;
const message = () => ({ id: crypto.randomUUID(), text: 'hello', files: [] });

describe('who asks', () => {
  const hosts = ['evil.example', '127.0.0.1', '127.0.0.1:1', 'localhost', '127.0.0.1.evil.example:PORT', '[::1]:PORT'];
  for (const host of hosts) {
    test(`the name ${host} is not ours`, async () => {
      const Host = host.replace('PORT', new URL(stage.origin).port);
      for (const path of ['/', '/api/chats', '/page/app.js', '/files/x']) {
        const { status } = await ask(stage.origin, { path, headers: { Host, Cookie: owner.cookie } });
        assert.equal(status, 403, path);
      }
    });
  }

  const origins = [
    'http://evil.example',
    'null',
    'https://127.0.0.1:PORT',
    'http://127.0.0.1:1',
    'http://localhost:PORT',
  ];
  for (const origin of origins) {
    test(`a page of ${origin} is not ours`, async () => {
      const Origin = origin.replace('PORT', new URL(stage.origin).port);
      const { status } = await owner.post('/api/chats/owner/messages', message(), { Origin });
      assert.equal(status, 403);
      assert.equal((await owner.get('/api/stream', { Origin })).status, 403);
    });
  }

  test('a change without an origin is refused, and so is what the browser calls cross-site', async () => {
    const headers = { Cookie: owner.cookie, 'Content-Type': 'application/json' };
    const body = JSON.stringify(message());
    const path = '/api/chats/owner/messages';
    assert.equal((await ask(stage.origin, { method: 'POST', path, headers, body })).status, 403);
    assert.equal((await owner.get('/api/chats', { 'Sec-Fetch-Site': 'cross-site' })).status, 403);
    assert.equal((await owner.get('/api/chats', { 'Sec-Fetch-Site': 'same-site' })).status, 403);
    assert.equal(stage.events.length, 0);
  });

  test('a form of another page has no type that is read', async () => {
    const { status } = await owner.post('/api/chats/owner/messages', message(), { 'Content-Type': 'text/plain' });
    assert.equal(status, 415);
  });
});

describe('who may', () => {
  const closed = [
    'GET /api/chats',
    'POST /api/chats',
    'POST /api/files',
    'POST /api/logout',
    'GET /api/stream',
    'GET /files/x',
    'GET /api/chats/owner/messages',
    'POST /api/chats/owner/messages',
    'POST /api/chats/owner/press',
    'POST /api/chats/owner/name',
    'POST /api/chats/owner/read',
    'GET /anything',
  ];
  for (const route of closed) {
    test(`${route} needs a login`, async () => {
      const [method = '', path = ''] = route.split(' ');
      for (const Cookie of ['', 'nanoclaw=1', `${owner.cookie.split('=')[0]}=x`, `${owner.cookie}x`]) {
        const headers = { Origin: stage.origin, 'Content-Type': 'application/json', Cookie };
        const { status } = await ask(stage.origin, { method, path, headers, ...(method === 'POST' && { body: '{}' }) });
        assert.equal(status, 401);
      }
    });
  }

  test('a link opens once', async () => {
    const link = stage.link();
    await logIn(link);
    await assert.rejects(logIn(link), /401/);
  });

  test('a link opens for ten minutes', async () => {
    const early = createLoginLink(stage.context, 'owner', Date.now() - 9.9 * 60_000);
    await logIn(early);
    const late = createLoginLink(stage.context, 'owner', Date.now() - 10.1 * 60_000);
    await assert.rejects(logIn(late), /401/);
  });

  test('the cookie is for this page alone, and its value is kept nowhere', async () => {
    const token = new URL(stage.link()).hash.slice(1);
    const headers = { Origin: stage.origin, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ token });
    const answer = await ask(stage.origin, { method: 'POST', path: '/api/login', headers, body });
    const cookie = answer.headers['set-cookie']?.[0] ?? '';
    assert.match(cookie, /; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
    const [value = ''] = /(?<==)[\w-]{43}/.exec(cookie) ?? [];
    assert.equal(value.length, 43);
    for (const name of readdirSync(stage.folder).filter((one) => one.startsWith('web.db'))) {
      const kept = readFileSync(join(stage.folder, name), 'latin1');
      assert.ok(!kept.includes(value) && !kept.includes(token), name);
    }
  });

  test('after logging out the cookie opens nothing, and what it had open ends', async () => {
    const [one, other] = [await logIn(stage.link()), await logIn(stage.link())];
    const stream = one.get('/api/stream');
    assert.equal((await one.post('/api/logout', { everywhere: false })).status, 200);
    assert.match((await stream).body, /^retry/);
    assert.equal((await one.get('/api/chats')).status, 401);
    assert.equal((await other.get('/api/chats')).status, 200);
    const ann = [await logIn(stage.link('ann')), await logIn(stage.link('ann'))];
    await ann[0]?.post('/api/logout', { everywhere: true });
    assert.equal((await ann[1]?.get('/api/chats'))?.status, 401);
    assert.equal((await other.get('/api/chats')).status, 200);
  });

  test('what belongs to somebody else is not there', async () => {
    const ann = await logIn(stage.link('ann'));
    const file = await owner.upload('secret.txt', 'secret');
    const strange = [
      await ann.get('/api/chats/owner/messages'),
      await ann.say('hello', crypto.randomUUID(), { chat: 'owner' }),
      await ann.post('/api/chats/owner/press', { message: 'x', data: 'y' }),
      await ann.post('/api/chats/owner/name', { name: 'mine' }),
      await ann.get(`/files/${file}`),
    ];
    assert.deepEqual(
      strange.map(({ status }) => status),
      [404, 404, 404, 404, 404],
    );
    const stolen = await ann.say('look', crypto.randomUUID(), { chat: 'ann', files: [file] });
    assert.equal(stolen.status, 400);
    assert.equal(stage.events.length, 0);
  });

  for (const name of ['', 'Owner', 'a b', '../x', 'a'.repeat(33), 'ünal', '-a', 'a:b']) {
    test(`${JSON.stringify(name)} is no user`, () => {
      assert.throws(() => createLoginLink(stage.context, name), NanoError);
    });
  }
});

describe('where a path leads', () => {
  const up = ['..', '%2e%2e', '..%2f..', '%2e%2e%2f%2e%2e', '..%5c..', '....//', '%00', '%ff', '..;'];
  const routes = [
    '/X/package.json',
    '/page/X/package.json',
    '/page/X',
    '/files/X/web.db',
    '/files/X',
    '/api/chats/X/messages',
  ];
  for (const step of up) {
    test(`nowhere, with ${step}`, async () => {
      const page = (await owner.get('/')).body;
      for (const route of routes) {
        const { status, body } = await owner.get(route.replace('X', `${step}/${step}`));
        // What leads back to the page itself is the page.
        assert.ok(status === 404 || status === 400 || body === page, `${route}: ${status}`);
        assert.doesNotMatch(body, /nanoclaw\/channel|SQLite format/);
      }
    });
  }

  test('an address that is none, and a method that nobody knows', async () => {
    assert.equal((await owner.get('http://')).status, 400);
    assert.equal((await owner.get('//')).status, 400);
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const headers = { Cookie: owner.cookie, Origin: stage.origin };
      const { status } = await ask(stage.origin, { method, path: '/api/chats/owner/messages', headers });
      assert.equal(status, 405);
    }
  });
});

describe('what a body may be', () => {
  const bad: [string, unknown][] = [
    ['nothing', undefined],
    ['no object', 7],
    ['no id', { text: 'x', files: [] }],
    ['an id with a path', { id: '../../../x', text: 'x', files: [] }],
    ['text that is none', { id: crypto.randomUUID(), text: { a: 1 }, files: [] }],
    ['21 files', { id: crypto.randomUUID(), text: 'x', files: Array(21).fill('f') }],
    ['a file that is not there', { id: crypto.randomUUID(), text: 'x', files: ['f'] }],
    ['nothing in it', { id: crypto.randomUUID(), text: ' \n', files: [] }],
  ];
  for (const [name, value] of bad) {
    test(`not ${name}`, async () => {
      assert.equal((await owner.post('/api/chats/owner/messages', value)).status, 400);
    });
  }

  test('not what is no JSON', async () => {
    const headers = { Cookie: owner.cookie, Origin: stage.origin, 'Content-Type': 'application/json' };
    for (const body of ['{', '', '\xff', '[1,', `${'['.repeat(100_000)}`, '{"__proto__":{"id":1}}']) {
      const { status } = await ask(stage.origin, { method: 'POST', path: '/api/chats', headers, body });
      assert.equal(status, 400);
    }
  });

  test('not 2 MB of JSON, not text of more than 256 KB, not a file that says it has 200 MB', async () => {
    const huge = await owner.post('/api/chats/owner/messages', { ...message(), text: 'x'.repeat(2_000_000) });
    assert.equal(huge.status, 413);
    const long = await owner.post('/api/chats/owner/messages', { ...message(), text: 'ü'.repeat(140_000) });
    assert.equal(long.status, 413);
    const socket = connect(Number(new URL(stage.origin).port), '127.0.0.1');
    socket.write(
      `POST /api/files?name=x HTTP/1.1\r\nHost: ${hostOf()}\r\nOrigin: ${stage.origin}\r\nCookie: ${owner.cookie}\r\n` +
        'Content-Type: application/octet-stream\r\nContent-Length: 209715200\r\n\r\nabc',
    );
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1.1 413 /);
    socket.destroy();
  });

  test('a file that turns out too large leaves nothing behind', async () => {
    const before = readdirSync(join(stage.folder, 'files')).length;
    const headers = {
      Cookie: owner.cookie,
      Origin: stage.origin,
      'Content-Type': 'application/octet-stream',
      'Transfer-Encoding': 'chunked',
    };
    const body = Buffer.alloc(101 * 1024 * 1024);
    const outcome = await ask(stage.origin, { method: 'POST', path: '/api/files?name=x', headers, body }).then(
      ({ status }) => status,
      () => 413,
    );
    assert.equal(outcome, 413);
    assert.equal(readdirSync(join(stage.folder, 'files')).length, before);
  });

  test('one that never ends is ended', async () => {
    await using slow = await startStage({ bodyMs: 100 });
    const client = await logIn(slow.link());
    const socket = connect(Number(new URL(slow.origin).port), '127.0.0.1');
    socket.write(
      `POST /api/chats HTTP/1.1\r\nHost: ${new URL(slow.origin).host}\r\nOrigin: ${slow.origin}\r\n` +
        `Cookie: ${client.cookie}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"name":`,
    );
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'close');
    assert.equal((await client.get('/api/chats')).status, 200);
  });
});

describe('what every answer says', () => {
  test('nothing is taken from elsewhere, framed, guessed or kept', async () => {
    for (const path of ['/', '/login', '/page/app.js', '/api/chats', '/nothing']) {
      const { headers } = await owner.get(path);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.doesNotMatch(policy, /unsafe|https?:|\*/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-frame-options'], 'DENY');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });

  test('the page names nothing outside', async () => {
    const names = ['/', '/page/style.css', '/page/app.js', '/page/render.js'];
    for (const name of names)
      assert.doesNotMatch((await owner.get(name)).body, /(src|href|url|import)\W{1,3}(https?:)?\/\//);
  });
});

describe('files that come down', () => {
  const kinds: [string, string, string][] = [
    ['page.html', '<script>alert(1)</script>', 'application/octet-stream'],
    ['picture.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'application/octet-stream'],
    ['false.png', '<html><script>alert(1)</script>', 'application/octet-stream'],
    ['real.png', '\x89PNG\r\n\x1a\n....', 'image/png'],
    ['paper.pdf', '%PDF-1.7', 'application/pdf'],
  ];
  for (const [name, content, type] of kinds) {
    test(`${name} is ${type}`, async () => {
      const id = await owner.upload(name, Buffer.from(content, 'latin1'));
      const { headers, body } = await owner.get(`/files/${id}`);
      assert.equal(headers['content-type'], type);
      assert.match(String(headers['content-disposition']), /^attachment; filename="/);
      assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox");
      assert.equal(body.length > 0, true);
      const shown = await owner.get(`/files/${id}?show`);
      const isImage = type === 'image/png';
      assert.equal(String(shown.headers['content-disposition']).startsWith('inline'), isImage);
    });
  }

  test('a name brings no header with it, and no path', async () => {
    const id = await owner.upload('..\\..//x/a"\r\nSet-Cookie: a=b\u202Egnp.exe', 'x');
    const { headers } = await owner.get(`/files/${id}`);
    assert.equal(headers['set-cookie'], undefined);
    assert.equal(
      headers['content-disposition'],
      `attachment; filename="a_Set-Cookie: a=bgnp.exe"; filename*=UTF-8''a%22Set-Cookie%3A%20a%3Dbgnp.exe`,
    );
  });
});
