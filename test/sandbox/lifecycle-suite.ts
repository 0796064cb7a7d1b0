/** From the start of a sandbox to its end. Knows the driver contract alone: every driver runs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { NanoError } from '../../src/errors.ts';
import type { SandboxDriver } from '../../src/sandbox/driver.ts';
import { type DriverUnderTest, needsRoot } from './drivers.ts';
import { makePlace, type Place, processes, processesWith, run, until } from './host.ts';
import { descriptors, nothingIsLeft, startMany } from './leaks.ts';

const SCRIPT = path.join(import.meta.dirname, 'host-process.ts');
const wd = (source: string, target = '/workspace') => ({ source, target, mode: 'rw' as const });
const startError = (pattern: RegExp) => (error: unknown) =>
  error instanceof NanoError && error.code === 'NC_SANDBOX_START' && pattern.test(error.detail ?? '');

export function lifecycleSuite(under: DriverUnderTest): void {
  describe(`${under.name}: start and stop`, { timeout: 180_000, skip: under.skip }, () => {
    let place: Place;
    let driver: SandboxDriver;
    before(() => {
      place = makePlace();
      driver = under.make(place);
    });
    after(async () => {
      await driver.sweep();
      place.remove();
    });

    /** A host of its own, by its arguments for `host-process.ts`. */
    const hostProcess = (mark: string, session = 'victim', env: NodeJS.ProcessEnv = {}, ...script: string[]) =>
      spawn(process.execPath, [SCRIPT, place.root, mark, place.slug, under.name, session, ...script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...env },
      });

    test('it declares what it holds here, from a real trial', async () => {
      const { usable, guarantees, reason } = await driver.declare();
      assert.equal(usable, true, reason);
      const always = guarantees.filter(({ name }) => !['memory', 'cpu', 'seccomp'].includes(name));
      assert.equal(guarantees.length, 16);
      assert.deepEqual(
        always.filter(({ held }) => !held),
        [],
      );
    });

    test('the exit code, the output and the environment are those of the command', async () => {
      const spec = place.spec('plain', 'echo out; echo err >&2; env | grep NAME; exit 9', { env: { NAME: 'a b' } });
      const { code, lastLines, outOfMemory } = await run(driver, spec);
      assert.deepEqual([code, outOfMemory], [9, false]);
      assert.deepEqual([...lastLines].sort(), ['NAME=a b', 'err', 'out']);
    });

    test('a hundred starts leave no descriptor, no process and no group behind', async () => {
      await run(driver, place.spec('first', 'true'));
      const before = descriptors();
      await startMany(driver, place, 100);
      await nothingIsLeft(under, place, before);
    });

    test('stop asks first: the command ends in its own way', async () => {
      const sandbox = await driver.start(
        place.spec('polite', 'trap "echo bye; exit 7" TERM; echo up; sleep 1000 & wait'),
      );
      await until('the trap is set', () => existsSync(path.join(place.root, 'polite.log')));
      const [one, two] = await Promise.all([sandbox.stop(20_000), sandbox.stop(20_000)]);
      assert.equal(one.code, 7);
      assert.equal(one, two);
      assert.ok(one.lastLines.includes('bye'));
    });

    test('stop kills what does not listen', async () => {
      const script = 'trap "" TERM; echo up; while :; do sleep 1000; done';
      const sandbox = await driver.start(place.spec('deaf', script));
      await until('the trap is set', () => existsSync(path.join(place.root, 'deaf.log')));
      const exit = await sandbox.stop(50);
      assert.equal(exit.code, null);
    });

    test('a missing source rejects, says which, and leaves nothing', async () => {
      const missing = path.join(place.root, 'not-there');
      await assert.rejects(
        driver.start(place.spec('missing', 'true', { mounts: [wd(missing)] })),
        startError(/not-there/),
      );
      assert.deepEqual(await under.traces(place), []);
    });

    test('a mount that can not be made rejects with the words of who makes it', async () => {
      const mounts = [
        { source: place.readable('closed'), target: '/workspace', mode: 'ro' as const },
        wd(place.writable('inner'), '/workspace/inner'),
      ];
      await assert.rejects(driver.start(place.spec('refused', 'true', { mounts })), startError(/inner/));
    });

    test('a source that the agent could swap is refused on a root host', { skip: needsRoot }, async () => {
      const tree = place.writable('tree');
      mkdirSync(path.join(tree, 'below'));
      const mounts = [{ source: path.join(tree, 'below'), target: '/workspace', mode: 'ro' as const }];
      await assert.rejects(driver.start(place.spec('swap', 'true', { mounts })), startError(/can be replaced/));
    });

    test('a link planted at a mount point is removed, never followed', async () => {
      const box = place.writable('planted');
      const outside = place.readable('outside');
      symlinkSync(outside, path.join(box, 'inbound'));
      symlinkSync(outside, path.join(box, 'extra'));
      const mounts = [
        wd(box),
        { source: place.readable('in'), target: '/workspace/inbound', mode: 'ro' as const },
        { source: place.readable('in'), target: '/workspace/extra/one', mode: 'ro' as const },
      ];
      const command = 'cd /workspace && test ! -L inbound && test -d extra/one';
      const { code } = await run(driver, place.spec('planted', command, { mounts }));
      assert.equal(code, 0);
      assert.deepEqual(readdirSync(outside), []);
    });

    test('sweep ends what a killed host left, and not what runs now', { skip: needsRoot }, async () => {
      const mark = `9${Date.now()}`;
      const host = hostProcess(mark);
      await once(host.stdout, 'data');
      const mine = await driver.start(place.spec('mine', 'sleep 1000'));
      host.kill('SIGKILL');
      await once(host, 'close');
      assert.equal(await driver.sweep(), 1);
      await until('its processes are gone', () => processesWith(mark) === 0);
      assert.ok((await under.traces(place)).every((name) => name.startsWith('mine')));
      assert.equal((await mine.stop(0)).code, null);
      assert.equal(await driver.sweep(), 0);
    });

    test('what somebody tries beside the host goes on through its sweep', { skip: needsRoot }, async (t) => {
      // Longer than the second look takes.
      const other = hostProcess('none', 'trial', {}, 'echo first; sleep 1.5; echo last');
      t.after(() => other.kill('SIGKILL'));
      await once(other.stdout, 'data');
      assert.equal(await driver.sweep(), 0);
      const log = path.join(place.root, 'trial.log');
      await until('it has ended by itself', () => existsSync(log) && readFileSync(log, 'utf8') === 'first\nlast\n');
      await until('nothing of it is left', async () => (await under.traces(place)).length === 0);
    });

    test('what a killed host left running is adopted, or has died with it', { skip: needsRoot }, async () => {
      const mark = `9${Date.now()}`;
      const host = hostProcess(mark, 'orphan');
      await once(host.stdout, 'data');
      const log = path.join(place.root, 'orphan.log');
      await until('it has said what comes first', () => existsSync(log) && readFileSync(log, 'utf8') === 'first\n');
      host.kill('SIGKILL');
      await once(host, 'close');
      const next = under.make(place);
      const found = await next.adopt();
      assert.deepEqual(
        found.map(({ sessionId }) => sessionId),
        under.diesWithHost ? [] : ['orphan'],
      );
      assert.deepEqual(await next.adopt(), [], 'once');
      if (!under.diesWithHost) {
        assert.equal(await next.sweep(), 0, 'what is adopted stays');
        assert.equal(processesWith(mark), 2);
      }
      const [exit] = await Promise.all(found.map((sandbox) => sandbox.stop(60_000)));
      await next.sweep();
      await until('its processes are gone', () => processesWith(mark) === 0);
      assert.deepEqual(await under.traces(place), []);
      assert.equal(exit?.code, under.diesWithHost ? undefined : 4);
      assert.equal(readFileSync(log, 'utf8'), under.diesWithHost ? 'first\n' : 'first\nlast\n');
    });

    test('a host that is killed while it starts a sandbox leaves none behind', async () => {
      const mark = `98765.${process.pid}`;
      const host = hostProcess(mark, 'cut', { NANOCLAW_FAULT: 'sandbox.building@1' });
      host.stdout.resume();
      const [, by] = await once(host, 'close');
      assert.equal(by, 'SIGKILL');
      // What is left waits for its parent, and runs nothing.
      await until("nothing of the agent's runs", () => processesWith(mark) === 0);
      await driver.sweep();
      await until('all of it has ended', () => processes((words) => words.some((word) => word.includes(mark))) === 0);
      assert.deepEqual(await under.traces(place), []);
    });

    test('descriptors that the host was started with do not get in', async () => {
      const script = path.join(place.root, 'fds.ts');
      const at = (file: string) => JSON.stringify(path.join(import.meta.dirname, file));
      const helpers = `import { driverNamed } from ${at('drivers.ts')};\nimport { makePlace, run } from ${at('host.ts')};`;
      const body = `const place = makePlace(); const r = await run(driverNamed('${under.name}').make(place), place.spec('fds', 'ls -l /proc/self/fd'));`;
      writeFileSync(script, `${helpers}\n${body}\nconsole.log(r.output); place.remove();\n`);
      const shell = `exec 66</etc/passwd; exec "$@"`;
      const host = spawn('/bin/bash', ['-c', shell, 'bash', process.execPath, script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const chunks: Buffer[] = await host.stdout.toArray();
      const listed = Buffer.concat(chunks).toString();
      assert.match(listed, / 1 -> /);
      assert.doesNotMatch(listed, /66 -> |\/etc\/passwd/);
    });
  });
}
