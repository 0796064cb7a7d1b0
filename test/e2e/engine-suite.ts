/** A host and its container engine, of which one or the other is killed in the middle of things. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LABEL } from '../../drivers/docker/body.ts';
import { installSlug } from '../../src/install-slug.ts';
import { retrySentence } from '../failures/rig.ts';
import { startHost, type TestHost } from '../support/host-process.ts';
import { noEngineOfOurOwn, type OwnEngine, startOwnEngine } from '../support/own-engine.ts';
import { type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

const CHATS = ['turn', 'crash', 'host', 'late', 'move', 'stop', 'image'];
const GRACEFUL_STOP_MS = 25_000;

export function engineSuite(name: 'docker' | 'podman'): void {
  describe(`${name}, killed and started again`, { skip: noEngineOfOurOwn(name), timeout: 240_000 }, () => {
    let engine: OwnEngine;
    let platform: Platform;
    let host: TestHost;
    let slug: string;
    const hostAt = (home?: string, env: Readonly<Record<string, string>> = {}) =>
      startHost({
        runtime: name,
        environment: { ...engine.environment, NANOCLAW_RETRY_MS: '300' },
        platform,
        env,
        ...(home === undefined ? { chats: CHATS } : { home }),
      });

    before(async () => {
      engine = await startOwnEngine(name);
      platform = await startPlatform();
      host = await hostAt();
      slug = installSlug(host.home);
    });
    after(async () => {
      const steps = [
        () => host.end(),
        async () => engine.command('rm', '-f', ...(await engine.containers(slug)).values()),
        () => engine[Symbol.asyncDispose](),
        () => platform[Symbol.dispose](),
        () => rmSync(host.home, { recursive: true, force: true }),
      ];
      for (const step of steps)
        await Promise.resolve()
          .then(step)
          .catch(() => undefined);
    });

    const at = (file: string) => join(host.home, 'groups/andy', file);
    const begun = (mark: string) => until(() => existsSync(at(`${mark}-begun`)));
    const goOn = (mark: string) => writeFileSync(at(`${mark}-go`), '');
    /** A turn that says when it has begun, and waits for a word. */
    const waiting = (mark: string) =>
      `run touch ${mark}-begun; until [ -e ${mark}-go ]; do sleep 0.1; done; echo ${mark} is done`;
    const outcome = (event: string) => platform.events.get(event)?.outcome;
    const answered = (event: string) => until(() => outcome(event) !== undefined);
    function answersTo(event: string): string[] {
      const { chat = '', sentAt = 0 } = platform.events.get(event) ?? {};
      return [...platform.delivered.values()]
        .filter((said) => said.chat === chat && !said.progress && said.at >= sentAt)
        .map(({ text }) => text)
        .filter((text) => !/^(?:⏳|Worked on it for)/.test(text));
    }
    async function ask(chat: string, text: string): Promise<string> {
      const event = platform.send(chat, text);
      await answered(event);
      return answersTo(event).join('\n');
    }
    /** Of all sessions of this install. */
    const ids = async () => [...(await engine.containers(slug)).values()].sort();

    test('it is away in the middle of a turn: the turn goes on, and its answer comes once', async () => {
      const event = platform.send('turn', waiting('away'));
      await begun('away');
      const before = await ids();
      await engine.kill();
      goOn('away');
      await answered(event);
      await engine.start();
      assert.equal(answersTo(event).length, 1, answersTo(event).join('\n'));
      assert.match(answersTo(event).join(), /away is done/);
      assert.match(await ask('turn', 'run echo and on'), /and on/);
      assert.deepEqual(await ids(), before);
    });

    test('it takes its containers with it in the middle of a turn: told once, tried again, answered', async (t) => {
      const event = platform.send('crash', 'run [ -e crash-begun ] || { touch crash-begun; sleep 600; }; echo alive');
      await begun('crash');
      await engine.killAll(slug);
      await engine.start();
      await answered(event);
      const [notice = '', answer = '', ...more] = answersTo(event);
      t.diagnostic(notice);
      assert.ok(notice.startsWith(retrySentence('crash', 1)), notice);
      assert.match(answer, /alive/);
      assert.deepEqual(more, []);
    });

    test('the host is killed in the middle of a turn: the next one takes it over, and all works in it', async () => {
      const strangers = foreign();
      const gone = engine.command(...stranger(slug, 'sess-that-is-gone'));
      const event = platform.send('host', waiting('host'));
      await begun('host');
      const mine = (await ids()).filter((id) => !id.startsWith(gone.slice(0, 12)));
      await host.end('SIGKILL');
      host = await hostAt(host.home);
      assert.deepEqual(await ids(), mine, 'the same ones, and what nobody knows is gone');
      goOn('host');
      await answered(event);
      assert.equal(answersTo(event).length, 1, answersTo(event).join('\n'));
      assert.match(answersTo(event).join(), /host is done/);
      assert.match(await ask('host', 'run ncl sessions current 2>&1 || ncl help 2>&1'), /ncl|session/i);
      assert.deepEqual(await ids(), mine, 'in the same sandbox');
      await host.end();
      assert.deepEqual(await ids(), [], 'a stop in order ends all of them');
      for (const id of strangers) assert.match(engine.command('inspect', '-f', '{{.State.Running}}', id), /true/);
      engine.command('kill', ...strangers);
      engine.command('rm', ...strangers);
      host = await hostAt(host.home);
    });

    test('it is away when the host begins, and its containers live: nothing is done twice', async () => {
      const event = platform.send('late', `${waiting('late')}; echo done >> late-count`);
      await begun('late');
      const before = await ids();
      await host.end('SIGKILL');
      await engine.kill();
      host = await hostAt(host.home);
      await engine.start();
      // An engine that has just begun doesn't know of its containers yet.
      await until(async () => {
        const now = await ids();
        return now.length > 0 && now.every((id) => !before.includes(id));
      });
      goOn('late');
      await answered(event);
      assert.equal(answersTo(event).filter((text) => text.includes('late is done')).length, 1);
      assert.equal(spawnSync('cat', [at('late-count')], { encoding: 'utf8' }).stdout, 'done\n');
      assert.equal((await ids()).length, 1);
    });

    test('it is away when the next host begins with another runtime: nothing runs beside what lives in it', async () => {
      const event = platform.send('move', `${waiting('move')}; echo done >> move-count`);
      await begun('move');
      await host.end('SIGKILL');
      await engine.kill();
      host = await hostAt(host.home, { NANOCLAW_RUNTIME: 'bubblewrap' });
      await until(() => host.log().includes(`sandbox still runs in ${name}, which does not answer`));
      await engine.start();
      // Else it may do its last step in the moment before it is ended.
      await until(() => host.log().includes('ended what an earlier host left'));
      goOn('move');
      await answered(event);
      assert.equal(answersTo(event).filter((text) => text.includes('move is done')).length, 1);
      await host.end();
      assert.equal(spawnSync('cat', [at('move-count')], { encoding: 'utf8' }).stdout, 'done\n');
      host = await hostAt(host.home);
    });

    test('it is away when the host is to stop: the host stops, and what it left is taken over', async () => {
      const event = platform.send('stop', waiting('stop'));
      await begun('stop');
      await engine.kill();
      const asked = performance.now();
      await host.end();
      assert.ok(performance.now() - asked < GRACEFUL_STOP_MS, 'it does not wait for the engine');
      await engine.start();
      host = await hostAt(host.home);
      goOn('stop');
      await answered(event);
      assert.equal(answersTo(event).filter((text) => text.includes('stop is done')).length, 1);
    });

    test('its image is pruned while the host runs: said, and healed when it is there again', {
      skip: name === 'podman' && 'the image belongs to all suites',
    }, async () => {
      engine.command('tag', engine.image, 'kept:latest');
      engine.command('rmi', '--no-prune', '-f', engine.image);
      const event = platform.send('image', 'run echo there');
      await until(() => answersTo(event).length > 0);
      assert.match(
        answersTo(event).join(),
        /My sandbox did not start\. It was the setting NANOCLAW_IMAGE\. I'll try again/,
      );
      assert.match(host.log(), /The image nanoclaw-small:latest is not there/);
      engine.command('tag', 'kept:latest', engine.image);
      await answered(event);
      assert.match(answersTo(event).at(-1) ?? '', /there/);
      assert.equal(answersTo(event).length, 2);
    });

    // Podman's own limits are more than some machines let it set.
    const limits = ['--ulimit', 'nproc=1000:1000', '--ulimit', 'nofile=1000:1000'];
    const plain = ['run', '-d', '--network', 'none', ...limits, '--entrypoint', 'sleep'];
    const stranger = (install: string, session: string) => {
      const labels = [LABEL.install, LABEL.session, LABEL.host, LABEL.log].flatMap((label, index) => [
        '--label',
        `${label}=${[install, session, 'an-earlier-host', '/nowhere/log'][index]}`,
      ]);
      return [...plain, ...labels, engine.image, '1000'];
    };
    /** Of another install, and of nobody's. */
    const foreign = () => [
      engine.command(...stranger(`${slug}x`, 'sess-of-a-peer')),
      engine.command(...plain, engine.image, '1000'),
    ];
  });
}
