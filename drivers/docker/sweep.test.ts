import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { LABEL } from './body.ts';
import { createDockerDriver } from './index.ts';
import { playEngine, reply } from './testing/engine.ts';

const SLUG = '0a1b2c3d';
const LEFT = Array.from({ length: 20 }, (_, index) => `c${index}`);

test('of what an earlier host left, one that the engine refuses to end keeps none of the others', async (t) => {
  const there = new Set(LEFT);
  let isHeld = true;
  const answer = (method = '', url = ''): [status: number, body?: unknown] => {
    const id = /\/containers\/(c\d+)\?/.exec(url)?.[1];
    if (method === 'DELETE' && id !== undefined) {
      if (id === 'c3' && isHeld) return [500, { message: 'cannot remove container: device or resource busy' }];
      there.delete(id);
      return [204];
    }
    if (url.endsWith('/version')) return [200, { ApiVersion: '1.41', Version: '20.10.24', Arch: 'amd64' }];
    if (url.endsWith('/info')) return [200, {}];
    if (!url.includes('/containers/json')) return [200, []];
    const labels = (id: string) => ({ [LABEL.install]: SLUG, [LABEL.session]: `sess-${id}`, [LABEL.host]: 'another' });
    return [200, [...there].map((Id) => ({ Id, State: 'running', Labels: labels(Id), Created: 1 }))];
  };
  const { folder, socket } = await playEngine(t, ({ method, url }, response) =>
    reply(response, ...answer(method, url)),
  );
  const said: string[] = [];
  const log = (message: string) => void said.push(message);
  const driver = createDockerDriver({ slug: SLUG, stateDir: path.join(folder, 'state'), log, socket, env: {} });

  assert.equal(await driver.sweep(), LEFT.length - 1);
  assert.deepEqual([...there], ['c3']);
  assert.ok(said.includes('a container stays'));
  assert.ok(driver.hasLeft('sess-c3'), 'nothing is started beside it');
  assert.ok(!driver.hasLeft('sess-c4'));
  isHeld = false;
  assert.equal(await driver.sweep(), 1);
  assert.deepEqual([...there], []);
  assert.ok(!driver.hasLeft('sess-c3'));
});
