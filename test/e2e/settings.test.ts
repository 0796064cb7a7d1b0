import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CODE, startHost } from '../support/host-process.ts';

test('settings that mean nothing, and a broken .env under a running host, are shown by status and doctor', async () => {
  await using host = await startHost({ env: { NANOCLAW_KEEP_LOGS_DAYS: 'abc', NANOCLAW_KEEP_LOGS_MD: '1' } });
  const env = { ...process.env, NANOCLAW_HOME: host.home };
  const ncl = (...args: string[]) =>
    new Promise<string>((resolve) => {
      execFile(join(CODE, 'bin', 'ncl'), args, { env }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  const status = await ncl('status');
  assert.match(status, /^problem: NANOCLAW_KEEP_LOGS_DAYS is not a whole number/m);
  assert.match(status, /^problem: NANOCLAW_KEEP_LOGS_MD is no setting/m);
  assert.match(
    await ncl('doctor'),
    /\.env +NANOCLAW_KEEP_LOGS_DAYS is not a whole number.*NANOCLAW_KEEP_LOGS_MD is no/,
  );
  writeFileSync(join(host.home, '.env'), 'nonsense\n');
  assert.match(
    await ncl('status'),
    /^problem: The file \.env can not be read\. .*line 1.* What was read before is used\.$/m,
  );
});
