import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BridgeParts, bridgeBody } from './bridge.ts';
import { withoutGateway } from './calls.ts';

const parts: BridgeParts = {
  image: 'image',
  script: 'script',
  port: 5555,
  listenOn: 4000,
  sameKernel: true,
  remapsUsers: false,
  selinux: false,
  seccomp: '{}',
  install: 'slug',
  host: 'h',
};

test('the bridge has no rights, no mounts, and hands on no packets', () => {
  const { HostConfig, User, Labels } = bridgeBody(parts);
  assert.equal(User, '65534:65534');
  assert.deepEqual(
    [HostConfig.ReadonlyRootfs, HostConfig.CapDrop, HostConfig.SecurityOpt, HostConfig.Sysctls['net.ipv4.ip_forward']],
    [true, ['ALL'], ['no-new-privileges', 'seccomp={}'], '0'],
  );
  for (const name of ['Mounts', 'Binds', 'PortBindings', 'Tmpfs']) assert.ok(!(name in HostConfig), name);
  assert.deepEqual(Labels, { 'org.nanoclaw.install': 'slug', 'org.nanoclaw.host': 'h' });
});

test("the name of the host is made where the engine doesn't have it", () => {
  assert.deepEqual(bridgeBody(parts).HostConfig.ExtraHosts, ['host.docker.internal:host-gateway']);
  assert.equal(bridgeBody({ ...parts, sameKernel: false }).HostConfig.ExtraHosts, undefined);
});

test('each engine is told in its words to have no address in the network', () => {
  const inhibited = { 'com.docker.network.bridge.inhibit_ipv4': 'true' };
  for (const old of ['20.10.24+dfsg1', '27.5.1']) assert.deepEqual(withoutGateway(old), inhibited);
  const isolated = { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' };
  for (const recent of ['28.0.0', '28.3.2', '29.1']) assert.deepEqual(withoutGateway(recent), isolated);
});
