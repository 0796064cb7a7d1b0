import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeCheckout } from './testing/checkout.ts';

const checkout = makeCheckout();
after(() => checkout.remove());

test('ncl owner-code: the code alone on stdout; what makes no sense is refused with a sentence', async () => {
  const early = await checkout.ncl(['owner-code']);
  assert.match(early.stderr, /There is no install here yet: run `bash nanoclaw\.sh`/);
  assert.equal(early.status, 1);

  await checkout.ncl(['init-first-agent', '--no-welcome', '--name', 'Bo']);
  const { stdout, stderr, status } = await checkout.ncl(['owner-code', '--agent', 'bo']);
  assert.match(stdout, /^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\n$/);
  assert.match(stderr, /chat with it alone.*within 60 minutes.*Bo speaks first.*once/);
  assert.equal(status, 0);

  const before = Date.now();
  const { code, agent, expiresAt } = JSON.parse(
    (await checkout.ncl(['owner-code', '--minutes=1440', '--json'])).stdout,
  );
  assert.notEqual(`${code}\n`, stdout);
  assert.equal(agent, 'Bo');
  assert.ok(Math.abs(Date.parse(expiresAt) - before - 24 * 3_600_000) < 60_000);

  const refused: [args: string[], status: number, sentence: RegExp][] = [
    [['--minutes', '0'], 2, /--minutes is a whole number from 1 to 1440/],
    [['--minutes', '1e3'], 2, /--minutes is a whole number/],
    [['--agent', 'nobody'], 1, /There is no agent "nobody"/],
  ];
  for (const [args, expected, sentence] of refused) {
    const run = await checkout.ncl(['owner-code', ...args]);
    assert.match(run.stderr, sentence);
    assert.equal(run.status, expected);
  }
});
