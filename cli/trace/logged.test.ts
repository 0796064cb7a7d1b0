import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLogged } from './logged.ts';

const AT = '2026-01-02T03:04:05.000Z';
const stored = {
  about: { session: 'sess-1', status: 'pending' },
  steps: [{ at: '', who: 'host', what: 'accepted', fields: { messageId: 'msg-1' } }],
};

function logged(lines: readonly string[]) {
  const logs = mkdtempSync(join(tmpdir(), 'nanoclaw-logged-'));
  try {
    mkdirSync(join(logs, 'sessions'));
    writeFileSync(join(logs, 'sessions/sess-1.log'), `${lines.join('\n')}\n`);
    return readLogged(logs, stored);
  } finally {
    rmSync(logs, { recursive: true });
  }
}

test('a record that is no text where text belongs is shown as it is written', () => {
  const nasty = { toString: 0 };
  const steps = logged([
    `{"time":"${AT}","message":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    JSON.stringify({ time: AT, message: nasty }),
    JSON.stringify({ event: 'x msg-1', time: nasty }),
  ]);
  assert.deepEqual(
    steps.map(({ at, what }) => [at, what]),
    [
      ['', 'output'],
      [AT, '{"toString":0}'],
      ['{"toString":0}', 'x msg-1'],
    ],
  );
  assert.doesNotThrow(() => JSON.stringify(steps));
});

test('a sandbox that logs without end fills no screen', () => {
  const lines = Array.from({ length: 3_000 }, (_, n) => JSON.stringify({ event: `n${n}`, time: AT }));
  const steps = logged(lines);
  assert.equal(steps.length, 1_000);
  assert.equal(steps.at(-1)?.what, 'n2999');
});
