import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../test/support/until.ts';
import { MAX_NEW_A_SECOND } from './session-socket.ts';
import { ask, openBench } from './test-support.ts';

const isRoot = process.getuid?.() === 0;
const UPSTREAM = 'http://127.0.0.1:9';
const session = { sessionId: 's2', agentGroupId: 'g', egress: 'none', allow: [] } as const;

describe("a session's socket", () => {
  test('is for its owner alone, and nothing else is left in its folder', async (t) => {
    const bench = await openBench(t, UPSTREAM);
    const { mode } = statSync(bench.socketPath);
    assert.equal(mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(bench.folder), ['relay.sock']);
    await bench.relay.close('s1');
    assert.deepEqual(readdirSync(bench.folder), []);
  });

  test('takes the place of one that a killed host left, and of a folder half made', async (t) => {
    const bench = await openBench(t, UPSTREAM);
    const socketPath = join(bench.folder, 'b.sock');
    const stale = createServer().listen(join(bench.folder, 'a.sock'));
    await once(stale, 'listening');
    renameSync(join(bench.folder, 'a.sock'), socketPath);
    stale.close();
    await once(stale, 'close');
    mkdirSync(join(bench.folder, '.new'));
    writeFileSync(join(bench.folder, '.new', 's'), '');
    await bench.relay.open({ ...session, socketPath });
    assert.equal((await ask(socketPath, { path: '/' })).status, 403);
  });

  test('is not put where something else lies', async (t) => {
    const bench = await openBench(t, UPSTREAM);
    const socketPath = join(bench.folder, 'file');
    writeFileSync(socketPath, 'precious');
    await assert.rejects(bench.relay.open({ ...session, socketPath }), { code: 'NC_SOCKET_PATH' });
    assert.equal(readFileSync(socketPath, 'utf8'), 'precious');
    symlinkSync(socketPath, join(bench.folder, 'link'));
    await assert.rejects(bench.relay.open({ ...session, socketPath: join(bench.folder, 'link') }), /not a socket/);
    await bench.relay.close('s2');
  });

  test('gives a clear error for a path that is too long, and for a folder that is not there', async (t) => {
    const bench = await openBench(t, UPSTREAM);
    const long = join(bench.folder, 'x'.repeat(120));
    await assert.rejects(bench.relay.open({ ...session, socketPath: long }), /holds more than 1\d\d bytes/);
    const nowhere = join(bench.folder, 'no', 'relay.sock');
    await assert.rejects(bench.relay.open({ ...session, socketPath: nowhere }), { code: 'NC_SOCKET_PATH' });
  });

  test('works at a relative path, from a folder whose own path is long', async (t) => {
    const bench = await openBench(t, UPSTREAM);
    const before = process.cwd();
    const deep = join(bench.folder, ...Array<string>(4).fill('d'.repeat(40)));
    mkdirSync(deep, { recursive: true });
    process.chdir(deep);
    try {
      await bench.relay.open({ ...session, socketPath: 'relay.sock' });
      assert.equal((await ask('relay.sock', { path: '/' })).status, 403);
      await bench.relay.close('s2');
      assert.equal(existsSync('relay.sock'), false);
    } finally {
      process.chdir(before);
    }
  });

  test('is opened anew, also by many at once, and ends with the relay', async (t) => {
    const bench = await openBench(t, UPSTREAM);
    const socketPath = join(bench.folder, 'again.sock');
    await Promise.all(Array.from({ length: 10 }, () => bench.relay.open({ ...session, socketPath })));
    assert.equal((await ask(socketPath, { path: '/' })).status, 403);
    await bench.relay.stop();
    assert.deepEqual(readdirSync(bench.folder), []);
  });

  test('lets its uid in and nobody else', { skip: !isRoot && 'needs a root host' }, async (t) => {
    const bench = await openBench(t, UPSTREAM);
    chmodSync(bench.folder, 0o711);
    const socketPath = join(bench.folder, 'u.sock');
    await bench.relay.open({ ...session, socketPath, uid: 65_533 });
    assert.deepEqual([statSync(socketPath).uid, statSync(socketPath).gid], [65_533, 65_533]);
    await assert.rejects(connectAs(65_534, socketPath), { code: 'EACCES' });
    await connectAs(65_533, socketPath);
  });

  test('takes no more than a number of new connections a second, then goes on', async (t) => {
    const bench = await openBench(t, UPSTREAM);
    chmodSync(bench.folder, 0o711);
    const socketPath = join(bench.folder, 'busy.sock');
    await bench.relay.open({ ...session, socketPath, ...(isRoot && { uid: 65_533 }) });
    let made = 0;
    const outcome = async () => {
      try {
        await connectAs(65_533, socketPath, 50);
        made += 50;
        return 'made';
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code;
      }
    };
    await until(async () => (await outcome()) === 'EACCES');
    assert.ok(made >= MAX_NEW_A_SECOND - 50, `${made} connections`);
    await until(async () => (await outcome()) === 'made');
  });
});

/** connect() is called at once, so the process is someone else for no longer than that. */
async function connectAs(uid: number, path: string, count = 1): Promise<void> {
  process.seteuid?.(uid);
  const sockets = Array.from({ length: count }, () => connect(path));
  process.seteuid?.(0);
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
