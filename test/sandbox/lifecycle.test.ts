import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { createBubblewrapDriver } from '../../drivers/bubblewrap/index.ts';
import { NanoError } from '../../src/errors.ts';
import { bubblewrapIn, isRoot, makePlace, run, until } from './host.ts';

const place = makePlace();
const driver = bubblewrapIn(place);
const wd = (source: string, target = '/workspace') => ({ source, target, mode: 'rw' as const });
const startError = (pattern: RegExp) => (error: unknown) =>
  error instanceof NanoError && error.code === 'NC_SANDBOX_START' && pattern.test(error.detail ?? '');

function cgroups(): string[] {
  const label = `nanoclaw-${place.slug}`;
  return ['memory', 'pids', 'cpu', 'unified', '.']
    .map((controller) => `/sys/fs/cgroup/${controller}/${label}`)
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function commandLine(pid: string): string {
  try {
    return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
  } catch {
    return '';
  }
}

describe('bubblewrap: start and stop', { timeout: 120_000 }, () => {
  after(() => place.remove());

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
    const count = () => readdirSync('/proc/self/fd').length;
    await run(driver, place.spec('first', 'true'));
    const before = count();
    for (let round = 0; round < 25; round++) {
      await Promise.all([0, 1, 2, 3].map((n) => run(driver, place.spec(`many-${n}`, 'sleep 1000 & true'))));
    }
    assert.equal(count(), before);
    assert.deepEqual(cgroups(), []);
    assert.equal(readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8'), '');
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
    assert.deepEqual(cgroups(), []);
  });

  test('a mount that bwrap refuses rejects with its words', async () => {
    const mounts = [
      { source: place.readable('closed'), target: '/workspace', mode: 'ro' as const },
      wd(place.writable('inner'), '/workspace/inner'),
    ];
    await assert.rejects(driver.start(place.spec('refused', 'true', { mounts })), startError(/bwrap: .*inner/));
  });

  test('a source that the agent could swap is refused on a root host', { skip: !isRoot }, async () => {
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

  test('sweep ends what a killed host left, and not what runs now', { skip: !isRoot }, async () => {
    const script = path.join(import.meta.dirname, 'host-process.ts');
    const host = spawn(process.execPath, [script, place.root, '9', place.slug], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(host.stdout, 'data');
    const mine = await driver.start(place.spec('mine', 'sleep 1000'));
    host.kill('SIGKILL');
    await once(host, 'close');
    assert.equal(await driver.sweep(), 1);
    assert.equal(
      cgroups().every((name) => name.startsWith('mine.')),
      true,
    );
    assert.equal((await mine.stop(0)).code, null);
    assert.equal(await driver.sweep(), 0);
  });

  test('a host that is killed while it starts a sandbox leaves none behind', async () => {
    const script = path.join(import.meta.dirname, 'host-process.ts');
    const mark = `98765.${process.pid}`;
    const started = () =>
      readdirSync('/proc').filter((pid) => commandLine(pid).includes(mark) && Number(pid) !== host.pid);
    const host = spawn(process.execPath, [script, place.readable('cut'), mark, place.slug], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, NANOCLAW_FAULT: 'sandbox.building@1' },
    });
    const [, by] = await once(host, 'close');
    assert.equal(by, 'SIGKILL');
    // What is left waits for its parent, and runs nothing.
    await until('nothing of the agent’s runs', () =>
      started().every((pid) => commandLine(pid).startsWith('/usr/bin/bwrap')),
    );
    await driver.sweep();
    await until('all of it has ended', () => started().length === 0);
  });

  test('a missing bwrap is said, with the command that installs it', async () => {
    const without = createBubblewrapDriver({
      slug: 'none',
      stateDir: path.join(place.root, 'none'),
      bwrapPath: path.join(place.root, 'no-bwrap'),
      log: () => undefined,
    });
    const { usable, reason, remedy } = await without.declare();
    assert.equal(usable, false);
    assert.match(reason ?? '', /bubblewrap is not installed/);
    assert.match(remedy ?? '', /apt-get install -y bubblewrap/);
    await assert.rejects(
      without.start(place.spec('none', 'true')),
      (error) => error instanceof NanoError && error.code === 'NC_SANDBOX_UNUSABLE',
    );
  });

  test('descriptors that the host was started with do not get in', async () => {
    const script = path.join(place.root, 'fds.ts');
    const at = (file: string) => JSON.stringify(path.join(import.meta.dirname, file));
    const helpers = `import { bubblewrapIn, makePlace, run } from ${at('host.ts')};`;
    const body = `const place = makePlace(); const r = await run(bubblewrapIn(place), place.spec('fds', 'ls -l /proc/self/fd'));`;
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

test('a host in a process namespace with few processes, as in a container, starts sandboxes, too', {
  skip: !isRoot && 'only root may make such a namespace',
  timeout: 60_000,
}, async () => {
  const few = makePlace();
  // The low numbers are used up: what looks itself up in another namespace's /proc finds nobody.
  const script = 'for i in $(seq 40); do /bin/true; done; "$@"';
  const program = path.join(import.meta.dirname, 'host-process.ts');
  const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, 'sh'];
  const child = spawn('unshare', [...namespace, process.execPath, program, few.root, '4917', few.slug]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, 'close');
  await Promise.race([until('the host says ready', () => said.includes('ready')), closed]);
  child.kill('SIGKILL');
  await closed;
  few.remove();
  assert.match(said, /ready/);
});
