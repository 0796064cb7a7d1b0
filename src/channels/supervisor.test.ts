import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstall, type Install } from '../../test/support/central.ts';
import { until } from '../../test/support/until.ts';
import { transaction } from '../db/group-commit.ts';
import { createLogger } from '../log/index.ts';
import type { ChannelAdapter, ChannelHost } from './adapter.ts';
import { createInstances } from './instances.ts';
import { writeSettings } from './settings.ts';
import { createSupervisor } from './supervisor.ts';

/** A package whose adapter does as its setting MODE says, and counts its starts in the values it remembers. */
const PACKAGE = `
export const plugin = {
  manifest: { name: 'played', title: 'Played', summary: '', downloadMb: 0, proof: '', settings: [
    { name: 'MODE', secret: false, required: true, label: '', steps: [] },
    { name: 'TOKEN', secret: true, required: false, label: '', steps: [] } ] },
  create({ instance, settings, recall, remember }) {
    let health = 'connected';
    return {
      channelType: instance,
      capabilities: { threads: false, maxTextLength: 100, buttons: false, edits: false },
      async start(host) {
        remember('starts', String(Number(recall('starts') ?? 0) + 1));
        if (settings.MODE === 'hang') await new Promise(() => {});
        if (settings.MODE === 'refuse') throw new Error('The token was revoked: ' + settings.TOKEN);
        if (settings.MODE === 'foreign') await host.accept({ channelType: 'terminal' });
        if (settings.MODE === 'fails-later') health = 'failed';
      },
      async stop() {},
      deliver: async () => ({ status: 'sent' }),
      typing() {},
      health: () => ({ state: health }),
    };
  },
  test: async () => ({ ok: true, sentence: '' }),
};
`;

function setup(install: Install) {
  const code = join(install.root, 'code');
  mkdirSync(join(code, 'channels/played'), { recursive: true });
  writeFileSync(join(code, 'channels/played/index.ts'), PACKAGE);
  writeFileSync(join(code, 'channels/played/package.json'), '{"name":"played","type":"module"}');
  const folder = join(install.root, 'data/channels');
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const instances = createInstances(install.db);
  const adapters = new Map<string, ChannelAdapter>();
  const told: string[] = [];
  const events: unknown[] = [];
  let time = 0;
  const host: ChannelHost = {
    accept(event) {
      events.push(event);
      return Promise.resolve({ status: 'duplicate' });
    },
    press: () => Promise.resolve(''),
    available: () => {},
  };
  const supervisor = createSupervisor({
    instances,
    code,
    folder,
    adapters,
    host,
    tellOwner: (channel, text) => told.push(`${channel}: ${text}`),
    log: createLogger({ folder: join(install.root, 'logs'), secrets: () => supervisor.secrets() }),
    now: () => time,
    patience: { startMs: 50, stopMs: 50, shortestMs: 1, longestMs: 20 },
  });
  const add = (instance: string, mode: string, token = 'a-secret-token') => {
    writeSettings(folder, instance, { MODE: mode, TOKEN: token });
    transaction(install.db, () =>
      instances.add({ instance, channel: 'played', source: null, enabled: true }, Date.now()),
    );
  };
  const starts = (instance: string) => Number(instances.recall(instance, 'starts') ?? 0);
  const state = (instance: string) => supervisor.reports().find((report) => report.instance === instance)?.state;
  const pass = (ms: number) => {
    time += ms;
    supervisor.look();
  };
  return { supervisor, instances, adapters, add, starts, state, pass, told, events, folder };
}

test('one that hangs and one that is refused are tried again and again, and the third is there at once', async () => {
  using install = createInstall();
  const { supervisor, adapters, add, starts, state } = setup(install);
  add('slow', 'hang');
  add('bad', 'refuse');
  add('good', 'well');
  supervisor.start();
  await until(() => state('good') === 'connected');
  await until(() => starts('slow') > 2 && starts('bad') > 2);
  assert.equal(starts('good'), 1);
  assert.ok(adapters.has('good'));
  await until(() => state('bad') === 'failed');
  await supervisor.stop();
});

test('the sentence of a failure holds no secret', async () => {
  using install = createInstall();
  const { supervisor, add, state } = setup(install);
  add('bad', 'refuse');
  supervisor.start();
  await until(() => state('bad') === 'failed');
  const [report] = supervisor.reports();
  assert.match(report?.detail ?? '', /The token was revoked/);
  assert.doesNotMatch(report?.detail ?? '', /a-secret-token/);
  await supervisor.stop();
});

test('after ten deaf minutes the owner is told once, and once more when it is back', async () => {
  using install = createInstall();
  const { supervisor, add, state, pass, told, folder } = setup(install);
  add('bad', 'refuse');
  supervisor.start();
  await until(() => state('bad') === 'failed');
  pass(9 * 60_000);
  assert.deepEqual(told, []);
  pass(61_000);
  pass(60_000);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /^bad: .*ten minutes.*revoked/);
  writeSettings(folder, 'bad', { MODE: 'well' });
  await until(() => state('bad') === 'connected');
  pass(1_000);
  pass(1_000);
  assert.deepEqual(told.slice(1), ['bad: The channel bad is back.']);
  await supervisor.stop();
});

test('one that fails after its start is started again', async () => {
  using install = createInstall();
  const { supervisor, add, starts, pass } = setup(install);
  add('later', 'fails-later');
  supervisor.start();
  await until(() => {
    pass(1);
    return starts('later') > 2;
  });
  await supervisor.stop();
});

test('accounts come and go while the others stay', async () => {
  using install = createInstall();
  const { supervisor, instances, adapters, add, starts, state } = setup(install);
  add('one', 'well');
  supervisor.start();
  add('two', 'well');
  await supervisor.follow('two');
  await until(() => state('one') === 'connected' && state('two') === 'connected');
  transaction(install.db, () => instances.enable('two', false));
  await supervisor.follow('two');
  assert.deepEqual([...adapters.keys()], ['one']);
  transaction(install.db, () => instances.remove('two'));
  await supervisor.follow('two');
  assert.deepEqual(
    supervisor.reports().map(({ instance }) => instance),
    ['one'],
  );
  assert.equal(starts('one'), 1);
  await supervisor.stop();
});

test('an adapter speaks for its own channel alone', async () => {
  using install = createInstall();
  const { supervisor, add, state, events } = setup(install);
  add('liar', 'foreign');
  supervisor.start();
  await until(() => state('liar') === 'connected');
  assert.deepEqual(events, []);
  await supervisor.stop();
});

test('a setting that is missing is said by its name', async () => {
  using install = createInstall();
  const { supervisor, add, state, folder } = setup(install);
  add('none', 'well');
  writeSettings(folder, 'none', {});
  supervisor.start();
  await until(() => state('none') === 'failed');
  assert.match(supervisor.reports()[0]?.detail ?? '', /Played needs MODE/);
  await supervisor.stop();
});
