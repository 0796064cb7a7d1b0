import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startBareEngine } from '../testing/engine.ts';
import { findEngines } from './engines.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'nanoclaw-engines-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function found(docker: string, podman: string, more: Record<string, string> = {}) {
  const address = (name: string) => `unix://${join(folder, name)}`;
  const { fitting, silent } = await findEngines(folder, {
    DOCKER_HOST: address(docker),
    CONTAINER_HOST: address(podman),
    ...more,
  });
  return [fitting?.driver, silent.map(({ driver, reason }) => `${driver}: ${reason?.replace(/ at .*/, '')}`)];
}

test('the first engine that answers, Docker before Podman; what is silent says why', async () => {
  await using _one = await startBareEngine(join(folder, 'one'));
  await using _two = await startBareEngine(join(folder, 'two'));
  const silent = 'docker: There is no container engine';
  assert.deepEqual(await found('one', 'two'), ['docker', []]);
  assert.deepEqual(await found('none', 'two'), ['podman', [silent]]);
  assert.deepEqual(await found('none', 'none'), [undefined, [silent, 'podman: There is no container engine']]);
  const [fitting, why] = await found('one', 'two', { NANOCLAW_IMAGE: 'theirs' });
  assert.equal(fitting, undefined, 'an image that the owner names is not made here');
  assert.match(String(why), /The image theirs, which NANOCLAW_IMAGE names, is not there/);
});
