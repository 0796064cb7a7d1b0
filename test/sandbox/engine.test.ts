/** What can be wrong with an engine, and what it does in the middle of things. With an engine of this machine, or with none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type Server, type Socket } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createDockerDriver } from '../../drivers/docker/index.ts';
import { createDriver } from '../../drivers/index.ts';
import { INSIDE } from '../../protocol/container-config.ts';
import type { SandboxDriver } from '../../src/sandbox/driver.ts';
import { DRIVERS, needsRoot, TEST_IMAGE } from './drivers.ts';
import { makePlace, type Place, processesWith, run, until } from './host.ts';

const driverAt = (place: Place, socket: string, more: { image?: string; runtime?: string } = {}): SandboxDriver =>
  createDockerDriver({
    slug: place.slug,
    stateDir: path.join(place.root, 'state'),
    log: () => undefined,
    socket,
    image: TEST_IMAGE,
    ...more,
  });

describe('an engine that can not be used is met with a sentence', () => {
  let place: Place;
  before(() => {
    place = makePlace();
  });
  after(() => place.remove());

  async function said(driver: SandboxDriver, code: string): Promise<string> {
    const { usable, reason, remedy } = await driver.declare();
    assert.equal(usable, false);
    await assert.rejects(driver.start(place.spec('none', 'true')), { code });
    return `${reason} ${remedy}`;
  }

  test('there is none', async () => {
    const driver = driverAt(place, path.join(place.root, 'none.sock'));
    assert.match(
      await said(driver, 'NC_SANDBOX_ENGINE'),
      /no container engine at .*none\.sock.*systemctl start docker/,
    );
  });

  test('its socket is there, and nobody listens', async () => {
    const socket = path.join(place.root, 'dead.sock');
    spawnSync(process.execPath, [
      '-e',
      'net.createServer().listen(process.argv[1], () => process.kill(process.pid, 9))',
      socket,
    ]);
    assert.ok(existsSync(socket));
    assert.match(await said(driverAt(place, socket), 'NC_SANDBOX_ENGINE'), /is not running/);
  });

  test('this user may not use it', { skip: needsRoot }, async () => {
    const socket = path.join(place.root, 'closed.sock');
    const server = net.createServer().listen(socket);
    await once(server, 'listening');
    chmodSync(socket, 0o600);
    chmodSync(place.root, 0o755);
    process.seteuid?.(65_534);
    try {
      assert.match(await said(driverAt(place, socket), 'NC_SANDBOX_ENGINE'), /may not use .*usermod -aG docker/);
    } finally {
      process.seteuid?.(0);
      server.close();
    }
  });

  test('its API is from before what is needed, or it is no engine at all', async () => {
    const answers: object[] = [{ ApiVersion: '1.40', Version: '19.03.8', Arch: 'amd64' }, { hello: 'world' }];
    for (const [index, answer] of answers.entries()) {
      const socket = path.join(place.root, `old-${index}.sock`);
      const server = http.createServer((_request, response) => {
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer));
      });
      server.listen(socket);
      await once(server, 'listening');
      const [code, sentence] = [
        ['NC_SANDBOX_UNUSABLE', /its API is 1\.40, and 1\.41 is needed.*Update the engine/],
        ['NC_SANDBOX_ENGINE', /no container engine/],
      ][index] as [string, RegExp];
      assert.match(await said(driverAt(place, socket), code), sentence);
      server.close();
    }
  });
});

for (const { name, socket, skip } of DRIVERS.filter((driver) => driver.socket !== null)) {
  describe(`${name}: what happens to it`, { skip, timeout: 120_000 }, () => {
    let place: Place;
    let driver: SandboxDriver;
    let door: Door;
    before(async () => {
      place = makePlace();
      door = await makeDoor(path.join(place.root, 'door.sock'), socket ?? '');
      driver = driverAt(place, door.path);
    });
    after(async () => {
      await driver.sweep();
      await door.close();
      place.remove();
    });

    test('without its image nothing starts, and the sentence says what to run', async () => {
      const without = driverAt(place, door.path, { image: 'nanoclaw-agent-v2-missing:latest' });
      const { reason, remedy } = await without.declare();
      assert.match(`${reason} ${remedy}`, /image nanoclaw-agent-v2-missing:latest is not there.*container\/build\.sh/);
      await assert.rejects(without.start(place.spec('none', 'true')), { code: 'NC_SANDBOX_IMAGE' });
    });

    test('a runtime that it does not have is said', async () => {
      const { reason } = await driverAt(place, door.path, { runtime: 'no-such-runtime' }).declare();
      assert.match(reason ?? '', /NANOCLAW_OCI_RUNTIME is "no-such-runtime"/);
    });

    test('one that it has is used by its name', async () => {
      const named = driverAt(place, door.path, { runtime: 'runc' });
      const { usable, reason } = await named.declare();
      assert.equal(usable, true, reason);
      assert.equal((await run(named, place.spec('by-name', 'echo fine'))).output, 'fine\n');
    });

    test('it is upgraded, and gives up the version that it was spoken to in: the next start works', async () => {
      const sandbox = await driver.start(place.spec('before', 'sleep 1000'));
      await door.shut();
      const upgraded = await upgrade(door.path, socket ?? '');
      try {
        assert.equal((await run(driver, place.spec('upgraded', 'echo fine'))).output, 'fine\n');
        assert.equal((await sandbox.stop(0)).code, null, 'and what ran goes on to be followed');
      } finally {
        await upgraded();
        await door.open();
      }
      assert.equal((await run(driver, place.spec('back', 'echo fine'))).output, 'fine\n');
    });

    test('a stop while it is away gives up, and what was given up is gone before anything else starts', async () => {
      const mark = `4${Date.now()}`;
      const variable = name === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST';
      let runtime = name;
      const chosen = createDriver({
        slug: place.slug,
        stateDir: path.join(place.root, 'state'),
        env: () => ({ NANOCLAW_RUNTIME: runtime, NANOCLAW_IMAGE: TEST_IMAGE, [variable]: `unix://${door.path}` }),
        log: () => undefined,
      });
      const mounts = [{ source: place.writable('beats'), target: INSIDE.workspace, mode: 'rw' as const }];
      const beat = `sleep ${mark} & while true; do touch ${INSIDE.heartbeat}; sleep 0.1; done`;
      const sandbox = await chosen.start(place.spec('given-up', beat, { mounts }));
      await door.shut();
      assert.equal((await sandbox.stop(60_000)).code, null);
      await until('it runs on', () => processesWith(mark) === 1);
      runtime = 'bubblewrap';
      const beside = chosen.start(place.spec('given-up', 'true', { mounts }));
      await assert.rejects(beside, { code: 'NC_SANDBOX_ENGINE', message: new RegExp(`still runs in ${name}`) });
      runtime = name;
      await door.open();
      assert.equal((await run(chosen, place.spec('given-up', 'echo fine'))).output, 'fine\n');
      assert.equal(processesWith(mark), 0);
    });

    test('while it is away nothing starts; what runs goes on, and is followed again with all that it said', async () => {
      const mark = `6${Date.now()}`;
      const box = place.writable('steps');
      const script = `echo one; until [ -e /workspace/two ]; do sleep 0.1; done; echo two; until [ -e /workspace/three ]; do sleep 0.1; done; echo three; sleep ${mark} & exit 5`;
      const mounts = [{ source: box, target: '/workspace', mode: 'rw' as const }];
      const spec = place.spec('through', script, { mounts });
      const sandbox = await driver.start(spec);
      const log = () => (existsSync(spec.logFile) ? readFileSync(spec.logFile, 'utf8') : '');
      await until('it speaks', () => log() === 'one\n');
      await door.shut();
      await assert.rejects(driver.start(place.spec('meanwhile', 'true')), { code: 'NC_SANDBOX_ENGINE' });
      writeFileSync(path.join(box, 'two'), '');
      await door.open();
      await until('what it said meanwhile is there', () => log() === 'one\ntwo\n');
      writeFileSync(path.join(box, 'three'), '');
      const { code, lastLines } = await sandbox.exited;
      assert.deepEqual([code, lastLines], [5, ['one', 'two', 'three']]);
      assert.equal((await run(driver, place.spec('later', 'echo fine'))).output, 'fine\n');
    });

    test('what is asked to stop while it is away ends as soon as it is back', async () => {
      const sandbox = await driver.start(place.spec('wait', 'sleep 1000'));
      await door.shut();
      const stopped = sandbox.stop(0);
      await door.open();
      assert.equal((await stopped).code, null);
    });

    test("another install's containers stay, many as they are", async () => {
      const peer = makePlace();
      const mark = `5${Date.now()}`;
      const theirs = driverAt(peer, door.path);
      const running = await Promise.all(
        [1, 2, 3].map((n) => theirs.start(peer.spec(`peer-${n}`, `exec sleep ${mark}`))),
      );
      await until('they run', () => processesWith(mark) === 3);
      assert.equal(await driver.sweep(), 0);
      assert.deepEqual(await driver.adopt(), []);
      assert.equal(processesWith(mark), 3);
      await Promise.all(running.map((sandbox) => sandbox.stop(0)));
      peer.remove();
    });

    test('a host path with spaces, colons and other alphabets is mounted as it is', async () => {
      const named = async (id: string, name: string) => {
        const mounts = [{ source: place.writable(name), target: `/workspace/${name}`, mode: 'rw' as const }];
        const env = { PATH: '/usr/bin:/bin', NAME: name };
        const { code } = await run(driver, place.spec(id, 'echo in > "/workspace/$NAME/file"', { mounts, env }));
        return [code, readFileSync(path.join(place.root, name, 'file'), 'utf8')];
      };
      assert.deepEqual(await named('spaces', "a b: 'c' 日本語 \\ $x"), [0, 'in\n']);
      for (const [id, called] of [
        ['comma', 'a,readonly=true'],
        ['quotes', '"a"'],
      ] as const) {
        const made = named(id, called);
        if (name === 'docker') assert.deepEqual(await made, [0, 'in\n']);
        else await assert.rejects(made, { code: 'NC_SANDBOX_START', message: /can't mount a path with a comma or a/ });
      }
    });
  });
}

/** Stands for a newer engine at this socket: versions before 1.44 it refuses. The end closes it. */
async function upgrade(at: string, engine: string): Promise<() => Promise<void>> {
  const older = (path: string) => path.replace(/^\/v1\.44\//, '/v1.41/');
  const tooOld = (path: string) => /^\/v1\.(?!44\/)/.test(path);
  const message = 'client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client';
  const server = http.createServer((request, response) => {
    const { method, headers, url = '' } = request;
    if (tooOld(url)) return void response.writeHead(400).end(JSON.stringify({ message }));
    const passed = http.request({ socketPath: engine, method, headers, path: older(url) }, async (answer) => {
      if (url === '/version') {
        const text = (await answer.toArray()).join('');
        return void response.end(JSON.stringify({ ...JSON.parse(text), ApiVersion: '1.44' }));
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  });
  server.on('upgrade', ({ method, headers, url = '' }, inside: Socket) => {
    const passed = http.request({ socketPath: engine, method, headers, path: older(url) });
    passed.on('upgrade', (_answer, outside, head) => {
      inside.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      if (head.length > 0) outside.unshift(head);
      for (const [from, to] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        from.on('error', () => to.destroy());
        from.pipe(to);
      }
    });
    passed.end();
  });
  server.listen(at);
  await once(server, 'listening');
  return async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
}

interface Door {
  path: string;
  /** As an engine that is ended: who was connected is cut off, and nobody answers. */
  shut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** A socket that leads to the engine's. */
async function makeDoor(at: string, engine: string): Promise<Door> {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const shut = async (): Promise<void> => {
    const closed = server && once(server, 'close');
    server?.close();
    for (const socket of sockets) socket.destroy();
    await closed;
    server = undefined;
  };
  const open = async (): Promise<void> => {
    server = net.createServer({ allowHalfOpen: true }, (inside) => {
      const outside = net.connect({ path: engine, allowHalfOpen: true });
      for (const [from, to] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        sockets.add(from);
        from.on('error', () => to.destroy()).on('close', () => sockets.delete(from));
        from.pipe(to);
      }
    });
    server.listen(at);
    await once(server, 'listening');
  };
  await open();
  return { path: at, shut, open, close: shut };
}
