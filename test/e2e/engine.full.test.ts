/** What takes minutes: hundreds of containers that a crash left, and an engine whose disk is full. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { LABEL } from '../../drivers/docker/body.ts';
import { installSlug } from '../../src/install-slug.ts';
import { startHost } from '../support/host-process.ts';
import { noEngineOfOurOwn, type OwnEngine, startOwnEngine } from '../support/own-engine.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

const MANY = 200;
const AT_ONCE = 8;
const START_MS = 120_000;

for (const name of ['docker', 'podman'] as const) {
  describe(`${name}: hundreds that were left`, { skip: noEngineOfOurOwn(name) }, () => {
    const title = `${MANY} of a peer stay, ${MANY} of this install that nobody knows end, and the host starts`;
    test(title, { timeout: 900_000 }, async (t) => {
      await using engine = await startOwnEngine(name);
      using platform = await startPlatform();
      const first = await startHost({ runtime: name, environment: engine.environment, platform, chats: ['one'] });
      await first.end();
      const slug = installSlug(first.home);
      await left(engine, `${slug}x`);
      await left(engine, slug);
      try {
        const started = performance.now();
        const host = await startHost({ runtime: name, environment: engine.environment, platform, home: first.home });
        const took = performance.now() - started;
        t.diagnostic(`the host was ready after ${Math.round(took)} ms`);
        assert.ok(took < START_MS);
        await until(async () => (await engine.containers(slug)).size === 0);
        assert.equal((await engine.containers(`${slug}x`)).size, MANY);
        const event = platform.send('one', 'run echo well');
        await until(() => platform.events.get(event)?.outcome !== undefined);
        assert.match(platform.said('one').join(), /well/);
        await host.end();
      } finally {
        await removeAll(engine, `${slug}x`);
        await removeAll(engine, slug);
        rmSync(first.home, { recursive: true, force: true });
      }
    });
  });
}

test('docker: its disk is full: the chat is told, and it heals when there is room', {
  skip: noEngineOfOurOwn('docker'),
  timeout: 600_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-disk-'));
  const disk = join(folder, 'disk');
  const dataRoot = join(folder, 'data');
  mkdirSync(dataRoot);
  const run = (...words: string[]) => {
    const [program = '', ...args] = words;
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
  };
  run('truncate', '-s', '1500M', disk);
  run('mkfs.ext4', '-q', '-m', '0', disk);
  const mounted = spawnSync('mount', ['-o', 'loop', disk, dataRoot], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    rmSync(folder, { recursive: true });
    return t.skip(`no disk of its own can be mounted here: ${mounted.stderr}`);
  }
  try {
    await using engine = await startOwnEngine('docker', { dataRoot });
    using platform = await startPlatform();
    const environment = { ...engine.environment, NANOCLAW_RETRY_MS: '1000' };
    await using host = await startHost({ runtime: 'docker', environment, platform, chats: ['one', 'two'] });
    const ballast = join(dataRoot, 'ballast');
    spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=1M']);
    spawnSync('dd', ['if=/dev/zero', `of=${ballast}-2`, 'bs=1k']);
    const event = platform.send('one', 'run echo there is room');
    await until(() => platform.said('one').length > 0);
    t.diagnostic(platform.said('one').join('\n'));
    assert.match(platform.said('one').join(), /disk is full/, host.log());
    assert.match(host.log(), /The container engine's disk is full/);
    for (const file of [ballast, `${ballast}-2`]) rmSync(file);
    await until(() => platform.events.get(event)?.outcome !== undefined);
    assert.match(platform.said('one').at(-1) ?? '', /there is room/);
    assert.equal(platform.said('one').length, 2);
  } finally {
    run('umount', '-l', dataRoot);
    rmSync(folder, { recursive: true });
  }
});

/** As a host that was killed leaves them: running, each of a session that nobody knows. */
async function left(engine: OwnEngine, slug: string): Promise<void> {
  for (let done = 0; done < MANY; done += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, n) => `sess-lost-${done + n}`);
    await Promise.all(some.map((session) => leave(engine, slug, session)));
  }
  assert.equal((await engine.containers(slug)).size, MANY);
}

async function leave({ socket, image }: OwnEngine, slug: string, session: string): Promise<void> {
  const limit = (Name: string) => ({ Name, Soft: 1000, Hard: 1000 });
  const body = {
    Image: image,
    Entrypoint: ['/bin/sleep'],
    Cmd: ['10000'],
    Labels: {
      [LABEL.install]: slug,
      [LABEL.session]: session,
      [LABEL.host]: 'an-earlier-one',
      [LABEL.log]: '/nowhere',
    },
    HostConfig: { NetworkMode: 'none', Ulimits: [limit('nproc'), limit('nofile')] },
  };
  const { Id } = z.object({ Id: z.string() }).parse(JSON.parse(await post(socket, '/containers/create', body)));
  await post(socket, `/containers/${Id}/start`);
}

async function removeAll(engine: OwnEngine, slug: string): Promise<void> {
  const ids = [...(await engine.containers(slug)).values()];
  for (let done = 0; done < ids.length; done += AT_ONCE) {
    await Promise.all(
      ids
        .slice(done, done + AT_ONCE)
        .map((id) => post(engine.socket, `/containers/${id}?force=1&timeout=0`, undefined, 'DELETE')),
    );
  }
}

async function post(socketPath: string, path: string, body?: unknown, method = 'POST'): Promise<string> {
  const request = http.request({
    socketPath,
    method,
    path: `/v1.41${path}`,
    headers: { 'Content-Type': 'application/json' },
  });
  request.end(body === undefined ? '' : JSON.stringify(body));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const said = await text(response);
  assert.ok((response.statusCode ?? 500) < 400, said);
  return said;
}
