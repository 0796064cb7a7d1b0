import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type Trial, uidOnHost } from './declaration.ts';
import { takesFromAnywhere } from './network/reverse-path.ts';
import { DOCKER } from './testing/engine.ts';

const trial: Trial = {
  lines: ['net:lo: 0', 'net:tunl0: 0', 'net:eth0: 0', 'reach:yes'],
  hostUid: 2000,
  wantedUid: 2000,
  code: 0,
  engine: DOCKER,
  byNetwork: true,
  isHeard: false,
  slug: 'slug',
  runtime: undefined,
};

/** Whether the relay is reached, and nothing else is. */
function ways(more: Partial<Trial>): (boolean | undefined)[] {
  const { guarantees } = judge({ ...trial, ...more });
  return ['transport', 'network'].map((wanted) => guarantees.find(({ name }) => name === wanted)?.held);
}

test('by network the bridge alone may be there, and it has to lead somewhere', () => {
  const { lines } = trial;
  assert.deepEqual(ways({}), [true, true]);
  assert.deepEqual(ways({ lines: lines.map((line) => line.replace('yes', 'no')) }), [false, true]);
  assert.deepEqual(ways({ lines: [...lines, 'neighbour:198.19.0.1'] }), [true, false]);
  assert.deepEqual(ways({ lines: [...lines, 'net:eth1: 0'] }), [true, false]);
});

test('a network whose datagrams this machine takes is not its own, and the setting that changes that is named', () => {
  const { guarantees } = judge({ ...trial, isHeard: true });
  const network = guarantees.find(({ name }) => name === 'network');
  assert.equal(network?.held, false);
  assert.match(`${network.how}. ${network.remedy}`, /255\.255\.255\.255.*net\.ipv4\.conf\.all\.rp_filter=1/);
  const settings = [
    ['0', '0', true],
    ['0', '1', false],
    ['2', '0', false],
    [null, null, true],
  ] as const;
  for (const [all, fresh, taken] of settings) assert.equal(takesFromAnywhere(all, fresh), taken, `${all} ${fresh}`);
});

test('by socket there is no other interface, and the socket has to cross', () => {
  const lines = ['net:lo: 0', 'reach:yes'];
  const byNetwork = false;
  assert.deepEqual(ways({ byNetwork, lines }), [true, true]);
  assert.deepEqual(ways({ byNetwork, lines: ['net:lo: 0', 'reach:no'] }), [false, true]);
  assert.deepEqual(ways({ byNetwork, lines, engine: { ...trial.engine, sameKernel: false } }), [false, true]);
  assert.deepEqual(ways({ byNetwork }), [true, false]);
});

test('an id inside is what the map makes of it outside', () => {
  assert.equal(uidOnHost(['Uid:2042', 'uidmap:0 0 4294967295']), 2042);
  assert.equal(uidOnHost(['Uid:0', 'uidmap:0 1000 1', 'uidmap:1 100000 65536']), 1000);
  assert.equal(uidOnHost(['Uid:7', 'uidmap:0 1000 1', 'uidmap:1 100000 65536']), 100_006);
  assert.equal(uidOnHost(['Uid:7', 'uidmap:0 1000 1']), null);
  assert.equal(uidOnHost([]), null);
});
