import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstall } from '../test/support/central.ts';
import { until } from '../test/support/until.ts';
import { createActivities } from './activity.ts';
import { createContainerRunner } from './container-runner.ts';
import { createEachSecond } from './each-second.ts';
import { createLogger } from './log/index.ts';

test('a part that fails at each look does not keep the others from theirs', async () => {
  using install = createInstall();
  mkdirSync(join(install.root, 'logs'), { recursive: true });
  const log = createLogger({ folder: join(install.root, 'logs'), secrets: () => [] });
  const none = (): never => assert.fail('nothing is to be started');
  const looks: string[] = [];
  const eachSecond = createEachSecond({
    ...install,
    activity: createActivities(),
    runner: createContainerRunner({
      driver: { name: 'none', declare: none, start: none, adopt: none, sweep: none },
      places: 1,
      session: () => undefined,
      isDue: () => false,
      prepare: none,
      reopen: none,
      onStarted: none,
      onStartFailed: none,
      onFull: none,
      onExit: none,
      log,
    }),
    showWork: none,
    boxOf: () => undefined,
    publish: none,
    onClock: none,
    looks: [
      () => looks.push('first'),
      () => {
        throw new Error('broken');
      },
      () => looks.push('last'),
    ],
    log,
  });
  eachSecond.start();
  await until(() => looks.length >= 4);
  eachSecond.stop();
  log.close();
  assert.deepEqual(looks.slice(0, 4), ['first', 'last', 'first', 'last']);
});
