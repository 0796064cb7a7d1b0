/** What no sandbox may allow, tried from inside. Knows the driver contract alone: every driver runs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { CHECKED, DENIED, numberOn } from '../../drivers/syscalls.ts';
import type { Sandbox, SandboxDriver } from '../../src/sandbox/driver.ts';
import type { DriverUnderTest } from './drivers.ts';
import { bunMount, isRoot, LIMITS, MiB, makePlace, type Place, processesWith, run, until } from './host.ts';

const attempt = z.object({ name: z.string(), ok: z.boolean(), detail: z.string() });
export type Attempt = z.infer<typeof attempt>;

/** What the probes try by name, each of them in vain. */
export const REFUSED = [
  ...['unshare user', 'unshare mount', 'unshare user and network', 'clone user', 'clone3', 'mount', 'umount'],
  ...['remount writable', 'pivot_root', 'chroot', 'fsopen', 'open_tree', 'ptrace', 'process_vm_readv'],
  ...['keyctl', 'add_key', 'request_key', 'bpf', 'perf_event_open', 'userfaultfd', 'io_uring_setup'],
  ...['name_to_handle_at', 'init_module', 'sethostname', 'personality', 'type into the terminal'],
  ...['socket vsock', 'socket alg', 'socket packet', 'socket raw', 'socket netfilter', 'socket bluetooth'],
  ...['become root', 'mknod', 'read /etc/shadow', 'see the host root home', "see the host's folders"],
  ...["find another session's marker", "see the host's environment", "see the host's paths on a command line"],
  ...['see a process of the host', 'signal a process of the host', 'write core_pattern', 'write a sysctl'],
  ...['open sysrq-trigger', 'read kernel keys', 'read kernel addresses', 'write below /'],
  ...['use a setuid program of its own', 'use a setuid program of the system', 'has a descriptor beyond its own'],
  ...['write what is read-only', 'add to what is read-only', 'remove what is read-only', 'chmod what is read-only'],
  ...['rename what is read-only', 'remove the mount point', 'link out of what is read-only', 'truncate through /proc'],
  ...['rename an ancestor of what is read-only', 'reach the host by TCP', 'reach an outside address'],
  ...['reach the host by any of its addresses', 'reach what is beside it'],
  ...['reach an abstract socket of the host', 'another interface'],
];

/** With a bound of its own far above that of the sandbox: a limit that is declared and not held must not cost the machine its memory. */
const GREEDY = 'ulimit -v 2097152; exec tail /dev/zero';

/** `onTried` gets what the probes met, by name. */
export function escapeSuite(under: DriverUnderTest, onTried: (attempts: ReadonlyMap<string, Attempt>) => void): void {
  describe(`escape: ${under.name}`, { timeout: 120_000, skip: under.skip }, () => {
    let place: Place;
    let driver: SandboxDriver;
    const attempts = new Map<string, Attempt>();
    let heard = 0;
    const started: Sandbox[] = [];
    const secret = `secret-${process.pid}-${Date.now()}`;

    before(async () => {
      place = makePlace();
      const made = under.make(place);
      driver = {
        ...made,
        async start(spec) {
          const sandbox = await made.start(spec);
          started.push(sandbox);
          return sandbox;
        },
      };
      process.env.NANOCLAW_TEST_SECRET = secret;
      // At all addresses, as a careless service of the owner's does.
      const tcp = net.createServer((socket) => socket.end()).listen(0, '::');
      const abstract = `nanoclaw-test-${process.pid}`;
      const unix = net.createServer((socket) => socket.end()).listen(`\0${abstract}`);
      const udp = dgram.createSocket('udp4').on('message', () => heard++);
      udp.bind(0, '127.0.0.1');
      await Promise.all([once(tcp, 'listening'), once(unix, 'listening'), once(udp, 'listening')]);
      const port = (address: AddressInfo | string | null): number =>
        typeof address === 'object' && address ? address.port : 0;

      const box = place.writable('box');
      writeFileSync(path.join(place.readable('inbound'), 'note'), 'original');
      writeFileSync(path.join(place.writable('other-session'), 'marker-of-another'), 'x');
      copyFileSync('/usr/bin/id', path.join(box, 'setuid-id'));
      chmodSync(path.join(box, 'setuid-id'), 0o4755);
      const machine = process.arch === 'arm64' ? 'arm64' : 'x64';
      const calls = Object.fromEntries(
        Object.entries({ ...DENIED, ...CHECKED }).map(([call, numbers]) => [call, numberOn(machine, numbers) ?? -1]),
      );
      const host = {
        root: place.root,
        marker: 'marker-of-another',
        // In halves, or the probe would find it in its own environment.
        secret: [secret.slice(0, 9), secret.slice(9)],
        pid: process.pid,
        addresses: Object.values(os.networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
        tcp: port(tcp.address()),
        udp: port(udp.address()),
        abstract,
      };
      const spec = place.spec('probe', '', {
        command: ['/opt/bun', '/opt/probes/escape.mjs'],
        env: { PATH: '/usr/bin:/bin', HOME: '/home/node', PROBE: JSON.stringify({ calls, host }) },
        mounts: [
          { source: box, target: '/workspace', mode: 'rw' },
          { source: place.readable('inbound'), target: '/workspace/inbound', mode: 'ro' },
          { source: place.writable('agent'), target: '/workspace/agent', mode: 'rw' },
          { source: place.readable('extra'), target: '/workspace/extra/deep/extra', mode: 'ro' },
          bunMount,
          { source: path.join(import.meta.dirname, 'probes'), target: '/opt/probes', mode: 'ro' },
        ],
      });
      const { output } = await run(driver, spec);
      for (const line of output.split('\n').filter((candidate) => candidate.startsWith('{'))) {
        const parsed = attempt.parse(JSON.parse(line));
        attempts.set(parsed.name, parsed);
      }
      assert.ok(attempts.has('end'), `the probe did not get to its end:\n${output}`);
      for (const server of [tcp, unix]) server.close();
      udp.close();
      onTried(attempts);
    });

    after(async () => {
      await Promise.all(started.map((sandbox) => sandbox.stop(0)));
      await driver.sweep();
      delete process.env.NANOCLAW_TEST_SECRET;
      place.remove();
    });

    for (const what of REFUSED) {
      const meant = under.allows?.[what];
      test(meant === undefined ? `refused: ${what}` : `allowed: ${what}: ${meant}`, () => {
        const made = attempts.get(what);
        assert.ok(made, 'the probe did not try it');
        assert.equal(made.ok, meant !== undefined, made.detail);
      });
    }

    test('refused: entering a namespace by descriptor', () => {
      assert.notEqual(attempts.get('setns')?.detail, '0');
    });

    test('refused: reaching the host by UDP', () => {
      assert.equal(heard, 0);
    });

    test('allowed: its own folders', () => {
      const made = attempts.get('write where it may');
      assert.ok(made?.ok, made?.detail);
    });

    test('what is read-only is as it was, seen from the host', () => {
      assert.equal(readFileSync(path.join(place.root, 'inbound/note'), 'utf8'), 'original');
      assert.deepEqual(readdirSync(path.join(place.root, 'inbound')), ['note']);
    });

    test('what it writes belongs to the unprivileged uid on the host', { skip: !isRoot }, async () => {
      const { statSync } = await import('node:fs');
      assert.equal(statSync(path.join(place.root, 'box/mine')).uid, place.uid);
    });

    /** Without the limit the test would be one of the machine. */
    const holds = async (name: string): Promise<boolean> =>
      (await driver.declare()).guarantees.some((guarantee) => guarantee.name === name && guarantee.held);

    test('a fork bomb stays inside: others start, and it can be stopped', async (t) => {
      if (!(await holds('pids'))) return t.skip('the driver says that it can not limit processes here');
      const bomb = await driver.start(place.spec('bomb', 'b() { while :; do b & done; }; b 2>/dev/null'));
      const other = await run(driver, place.spec('beside', 'echo well'));
      assert.equal(other.output, 'well\n');
      await bomb.stop(0);
      const many = 'i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; echo all of them';
      const counted = await run(driver, place.spec('many', many));
      assert.doesNotMatch(counted.output, /all of them/, `more than ${LIMITS.pids} processes`);
    });

    test('too much memory ends that sandbox alone, and says so', async (t) => {
      if (!(await holds('memory'))) return t.skip('the driver says that it can not limit memory here');
      const beside = await driver.start(place.spec('calm', 'sleep 1000'));
      const limits = { ...LIMITS, memoryBytes: 128 * MiB };
      const greedy = await run(driver, place.spec('greedy', GREEDY, { limits }));
      const exit = await beside.stop(0);
      assert.deepEqual([greedy.outOfMemory, greedy.code, exit.outOfMemory], [true, 137, false], greedy.output);
    });

    test('a file can not grow beyond its limit', async () => {
      const limits = { ...LIMITS, fileSizeBytes: MiB };
      const mounts = [{ source: place.writable('big'), target: '/workspace', mode: 'rw' as const }];
      await run(driver, place.spec('big', 'head -c 3000000 /dev/zero > /workspace/big', { limits, mounts }));
      assert.ok(readFileSync(path.join(place.root, 'big/big')).length <= MiB);
    });

    test('nothing of it outlives a stop, whatever it did to hide', async () => {
      const mark = `7${Date.now()}`;
      const script = `setsid sleep ${mark} & (setsid sh -c 'trap "" TERM; sleep ${mark}' &) & echo up; exec sleep ${mark}`;
      const sandbox = await driver.start(place.spec('hider', script));
      await until('its processes are there', () => processesWith(mark) >= 3);
      await sandbox.stop(100);
      assert.equal(processesWith(mark), 0);
    });

    test('kill -9 of the host leaves nothing, or what its next sweep ends', async () => {
      const mark = `8${Date.now()}`;
      const script = path.join(import.meta.dirname, 'host-process.ts');
      const host = spawn(process.execPath, [script, place.root, mark, place.slug, under.name], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(host.stdout, 'data');
      await until('its processes are there', () => processesWith(mark) >= 2);
      host.kill('SIGKILL');
      if (!under.diesWithHost) await driver.sweep();
      await until('they are gone', () => processesWith(mark) === 0);
    });

    test('the secret of the host process is really there to be found', () => {
      assert.ok(existsSync('/proc/self/environ') && process.env.NANOCLAW_TEST_SECRET === secret);
    });
  });
}
