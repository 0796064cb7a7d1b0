import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SandboxSpec } from '../../src/sandbox/driver.ts';
import { mountSteps } from '../mounts.ts';
import { type BodyParts, containerBody, userFor } from './body.ts';
import type { Engine } from './engine.ts';
import { subnetAt } from './network/subnets.ts';
import { DOCKER } from './testing/engine.ts';

const podman: Engine = { ...DOCKER, name: 'Podman' };
const spec: SandboxSpec = {
  sessionId: 's1',
  uid: 20_001,
  command: ['/app/run'],
  env: { PATH: '/usr/bin' },
  mounts: [
    { source: '/data/box', target: '/workspace', mode: 'rw' },
    { source: '/data/docs', target: '/workspace/extra/docs', mode: 'ro' },
  ],
  limits: { memoryBytes: 1024 ** 3, cpus: 1.5, pids: 100, fileSizeBytes: 5000 },
  logFile: '/logs/s1.log',
};

function made(engine: Engine, more: Partial<BodyParts> = {}) {
  return containerBody(spec, engine, {
    image: 'image',
    user: { uid: 20_001, gid: 20_001, namespace: '' },
    labels: { a: 'b' },
    steps: mountSteps(spec.mounts),
    generated: [],
    seccomp: '{}',
    runtime: undefined,
    hard: null,
    ...more,
  });
}

test('nothing is left of what an engine gives by default', () => {
  const { HostConfig, User } = made(DOCKER);
  assert.equal(User, '20001:20001');
  assert.deepEqual(
    [
      HostConfig.NetworkMode,
      HostConfig.ReadonlyRootfs,
      HostConfig.CapDrop,
      HostConfig.IpcMode,
      HostConfig.CgroupnsMode,
    ],
    ['none', true, ['ALL'], 'private', 'private'],
  );
  assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges', 'seccomp={}']);
  assert.deepEqual(
    [HostConfig.Memory, HostConfig.MemorySwap, HostConfig.NanoCpus, HostConfig.PidsLimit],
    [1024 ** 3, 1024 ** 3, 1_500_000_000, 100],
  );
  assert.ok(!('Binds' in HostConfig));
});

test('in a network of its own it knows the relay by its address, and asks no name server', () => {
  const { HostConfig, NetworkDisabled, NetworkingConfig } = made(DOCKER, {
    network: { name: 'n', subnet: subnetAt(1) },
  });
  assert.deepEqual(
    [NetworkDisabled, HostConfig.NetworkMode, HostConfig.ExtraHosts, HostConfig.Dns],
    [false, 'n', ['relay:198.19.0.10'], ['127.0.0.1']],
  );
  assert.deepEqual(NetworkingConfig?.EndpointsConfig.n?.IPAMConfig, { IPv4Address: '198.19.0.11' });
  const { HostConfig: without, NetworkingConfig: none } = made(DOCKER);
  assert.ok(none === undefined && !('Dns' in without) && !('ExtraHosts' in without));
});

test('a folder between a writable mount and one in it is a mount of its own', () => {
  const { HostConfig } = made(DOCKER);
  assert.deepEqual(
    HostConfig.Mounts.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
    [
      ['/data/box', '/workspace', false],
      ['/data/box/extra', '/workspace/extra', false],
      ['/data/docs', '/workspace/extra/docs', true],
    ],
  );
});

test('what an engine can not limit is not asked for, and no limit is above its own', () => {
  const limits = { memory: false, swap: false, cpu: false, pids: false };
  const hard = { processes: 50, fileSize: 4000, openFiles: 1000 };
  const { HostConfig } = made({ ...DOCKER, limits }, { hard });
  for (const name of ['Memory', 'MemorySwap', 'NanoCpus', 'PidsLimit']) assert.ok(!(name in HostConfig), name);
  assert.deepEqual(
    HostConfig.Ulimits.map(({ Name, Hard }) => [Name, Hard]),
    [
      ['core', 0],
      ['fsize', 4000],
      ['nofile', 1000],
    ],
  );
});

test('where no group can count processes, the kernel does in the user namespace', () => {
  const script = (engine: Engine): string => made(engine).Cmd[2] ?? '';
  assert.match(script({ ...podman, countsInside: true }), /ulimit -p 100/);
  assert.doesNotMatch(script(podman), /ulimit -p/);
});

test('with SELinux the label is switched off, so that folders need none', () => {
  for (const engine of [DOCKER, podman]) {
    assert.ok(made({ ...engine, selinux: true }).HostConfig.SecurityOpt.includes('label=disable'));
    assert.ok(!made(engine).HostConfig.SecurityOpt.includes('label=disable'));
  }
});

test('a root that is nobody outside says that it is in a sandbox, or harnesses refuse to work', () => {
  const env = (uid: number) => made(DOCKER, { user: { uid, gid: uid, namespace: '' } }).Env;
  assert.deepEqual(env(0), ['PATH=/usr/bin', 'IS_SANDBOX=1']);
  assert.deepEqual(env(20_001), ['PATH=/usr/bin']);
});

test('Podman is told in its own way what Docker is told in its', () => {
  const { HostConfig } = made(podman, { seccomp: '/state/seccomp.json' });
  assert.ok(HostConfig.SecurityOpt.includes('seccomp=/state/seccomp.json'));
  assert.ok(HostConfig.SecurityOpt.some((option) => /^mask=.*\/proc\/keys/.test(option)));
  assert.match(HostConfig.Tmpfs['/run'] ?? '', /size=65536,mode=0755/);
});

test('nobody inside is root of the host, whatever the engine', () => {
  const root = { uid: 0, gid: 0 };
  const ana = { uid: 1000, gid: 100 };
  const rootless = (engine: Engine): Engine => ({ ...engine, rootless: true });
  assert.deepEqual(userFor(DOCKER, 20_001, root), { uid: 20_001, gid: 20_001, namespace: '' });
  assert.deepEqual(userFor({ ...DOCKER, remapsUsers: true }, 20_001, root), {
    uid: 20_001,
    gid: 20_001,
    namespace: 'host',
  });
  assert.deepEqual(userFor(DOCKER, 20_001, ana), { ...ana, namespace: '' });
  assert.deepEqual(userFor(rootless(podman), 20_001, ana), { ...ana, namespace: 'keep-id' });
  assert.deepEqual(userFor(rootless(DOCKER), 20_001, ana), { uid: 0, gid: 0, namespace: '' });
});
