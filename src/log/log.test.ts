import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLogger, createRedactor, humanLine } from './index.ts';

function withFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('lines go to one file, warnings and errors also to the other', () => {
  withFolder((folder) => {
    const log = createLogger({ folder, secrets: () => [] });
    log.debug('no');
    log.info('a', { n: 1n });
    log.child({ session: 's1' }).warn('b', { level: 'fields do not win', deep: { error: new Error('c') } });
    log.close();
    const all = lines(join(folder, 'nanoclaw.log'));
    assert.deepEqual(
      all.map((line) => [line.level, line.message]),
      [
        ['info', 'a'],
        ['warn', 'b'],
      ],
    );
    assert.equal(all[0]?.n, '1');
    const [warning] = lines(join(folder, 'nanoclaw.error.log'));
    assert.equal(warning?.session, 's1');
    assert.match(JSON.stringify(warning?.deep), /Error: c\\n {4}at /);
    assert.equal(statSync(join(folder, 'nanoclaw.log')).mode & 0o077, 0);
  });
});

test('an error is on disk at once, the rest at exit at the latest', () => {
  withFolder((folder) => {
    const log = createLogger({ folder, secrets: () => [] });
    log.error('now');
    assert.equal(lines(join(folder, 'nanoclaw.error.log')).length, 1);
    log.close();
    const program = `import { createLogger } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      createLogger({ folder: ${JSON.stringify(folder)}, secrets: () => [] }).info('at exit'); process.exit(0);`;
    const ended = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], { encoding: 'utf8' });
    assert.equal(ended.status, 0, ended.stderr);
    assert.equal(lines(join(folder, 'nanoclaw.log')).at(-1)?.message, 'at exit');
  });
});

test('what JSON can not hold is bounded and never throws', () => {
  withFolder((folder) => {
    const log = createLogger({ folder, secrets: () => [] });
    const circle: Record<string, unknown> = { text: 'x', map: new Map([['a', 1]]), set: new Set([1]), nan: Number.NaN };
    circle.self = circle;
    Object.defineProperty(circle, 'trap', { enumerable: true, get: () => assert.fail('a getter') });
    log.info('circle', { circle });
    log.info('large', { text: 'y'.repeat(1_000_000) });
    log.close();
    const [first, second] = lines(join(folder, 'nanoclaw.log'));
    const shown = Object(first?.circle);
    assert.equal(shown.trap, '[unreadable]');
    assert.deepEqual(shown.map, { a: 1 });
    assert.ok(Number(second?.shortenedFrom) > 1_000_000);
  });
});

test('files rotate by size and old ones go', () => {
  withFolder((folder) => {
    const log = createLogger({ folder, secrets: () => [], maxBytes: 2000, keep: 2 });
    for (let number = 0; number < 100; number++) log.error('x'.repeat(100), { number });
    log.close();
    assert.deepEqual(
      readdirSync(folder)
        .filter((name) => name.startsWith('nanoclaw.log'))
        .sort(),
      ['nanoclaw.log', 'nanoclaw.log.1', 'nanoclaw.log.2'],
    );
    const kept = ['nanoclaw.log.2', 'nanoclaw.log.1', 'nanoclaw.log'].flatMap((name) => lines(join(folder, name)));
    assert.ok(readdirSync(folder).every((name) => statSync(join(folder, name)).size <= 2000));
    assert.deepEqual(
      kept.map((line) => line.number),
      Array.from({ length: kept.length }, (_, index) => 100 - kept.length + index),
    );
  });
});

test('a deleted file is made again', () => {
  withFolder((folder) => {
    const log = createLogger({ folder, secrets: () => [] });
    log.error('one');
    unlinkSync(join(folder, 'nanoclaw.log'));
    log.error('two');
    log.close();
    assert.deepEqual(
      lines(join(folder, 'nanoclaw.log')).map((line) => line.message),
      ['two'],
    );
  });
});

test('a log that can not be written is told once on stderr, and what was lost is counted when it can again', () => {
  withFolder((folder) => {
    // A folder where the file should be: no right to write helps, not even root's.
    const program = `import { createLogger } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
      import { mkdirSync, rmSync } from 'node:fs';
      const folder = ${JSON.stringify(folder)};
      mkdirSync(folder + '/nanoclaw.log');
      const log = createLogger({ folder, secrets: () => [] });
      log.error('one'); log.error('two');
      rmSync(folder + '/nanoclaw.log', { recursive: true });
      log.error('three'); log.close();`;
    const ended = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], { encoding: 'utf8' });
    assert.equal(ended.status, 0, ended.stderr);
    assert.equal(ended.stderr.match(/can not write/g)?.length, 1, ended.stderr);
    const [note, line] = lines(join(folder, 'nanoclaw.log'));
    assert.deepEqual([note?.message, note?.lost, line?.message], ['log lines lost', 2, 'three']);
  });
});

test('a full disk does not reach the caller', { skip: existsSync('/dev/full') ? false : 'no /dev/full here' }, () => {
  withFolder((folder) => {
    mkdirSync(join(folder, 'logs'));
    const program = `import { createRotatingFile } from ${JSON.stringify(join(import.meta.dirname, 'rotating-file.ts'))};
      const file = createRotatingFile('/dev/full', 1e9, 1);
      for (let n = 0; n < 1000; n++) { file.append('x'.repeat(1000) + '\\n'); }
      file.close(); console.log('went on');`;
    const ended = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], { encoding: 'utf8' });
    assert.equal(ended.stdout, 'went on\n');
    assert.equal(ended.stderr.match(/ENOSPC/g)?.length, 1, ended.stderr);
  });
});

const SECRET = 'p4ss"wörd/with+odd=chars\\';
const hidden: [what: string, text: string][] = [
  ['itself', SECRET],
  ['its base64', Buffer.from(SECRET).toString('base64')],
  ['base64 of a text around it', Buffer.from(`user:${SECRET}`).toString('base64')],
  ['its URL form', encodeURIComponent(SECRET)],
  ['its JSON form', JSON.stringify({ key: SECRET })],
];
for (const [what, text] of hidden) {
  test(`a known secret is blackened as ${what}, also in nested fields and stacks`, () => {
    withFolder((folder) => {
      const log = createLogger({ folder, secrets: () => [SECRET] });
      log.error(`a ${text} b`, { nested: { list: [text] }, error: new Error(text, { cause: new Error(text) }) });
      log.info(text, { [text]: text });
      log.close();
      const written = readFileSync(join(folder, 'nanoclaw.log'), 'utf8');
      assert.ok(lines(join(folder, 'nanoclaw.log')).length === 2);
      const core = text.slice(text.length / 3, (text.length * 2) / 3);
      assert.ok(!written.includes(JSON.stringify(core).slice(1, -1)), written);
    });
  });
}

test('any secret of a sensible length is blackened in any text around it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 8, unit: 'binary' }), fc.string(), fc.string(), (secret, before, after) => {
      const redact = createRedactor(() => [secret]);
      assert.ok(!redact(before + secret + after).includes(secret) || '[redacted]'.includes(secret));
      const coded = Buffer.from(before + secret + after).toString('base64');
      assert.notEqual(redact(coded), coded);
    }),
  );
});

const shaped = [
  'sk-ant-api03-AbCdEf123456_-x',
  'SK-ANT-OAT01-AAAAAAAAAAAA',
  'xoxb-123456789012-abcdefABCDEF',
  '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw',
  'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
];
test('what looks like a credential is blackened without being known', () => {
  const redact = createRedactor(() => []);
  for (const text of shaped) assert.equal(redact(`\\n${text} `), '\\n[redacted] ');
  assert.equal(redact('Authorization: Bearer abcdefghijklmnop.qrstuvwxyz~+/=='), 'Authorization: [redacted]');
  assert.equal(redact('basic authentication failed at 12:30:11'), 'basic authentication failed at 12:30:11');
});

test('fields with a secret name lose their text, counts stay', () => {
  withFolder((folder) => {
    const log = createLogger({ folder, secrets: () => [] });
    log.info('x', { headers: { Authorization: 'abc', 'x-api-key': 'def' }, botToken: 'ghi', outputTokens: 3 });
    log.close();
    const [line] = lines(join(folder, 'nanoclaw.log'));
    assert.deepEqual(
      [line?.headers, line?.botToken, line?.outputTokens],
      [{ Authorization: '[redacted]', 'x-api-key': '[redacted]' }, '[redacted]', 3],
    );
  });
});

test('a secret that came later is blackened too', () => {
  const secrets: string[] = [];
  const redact = createRedactor(() => secrets);
  assert.equal(redact('correct-horse'), 'correct-horse');
  secrets.push('correct-horse');
  assert.equal(redact('correct-horse'), '[redacted]');
});

test('a line is shown to a person without control characters', () => {
  const line = JSON.stringify({
    time: '2026-01-02T03:04:05.006Z',
    level: 'warn',
    message: 'a\u001b]0;x',
    n: 1,
    s: 'b c',
  });
  assert.match(humanLine(line), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.006 WARN {2}a\uFFFD\]0;x n=1 s="b c"$/);
  assert.equal(humanLine('plain \u001b[31m\n'), 'plain \uFFFD[31m');
});

test('no line of a sandbox stops whoever looks at it', () => {
  const nasty = '{"toString":0}';
  for (const line of [
    `{"message":${nasty}}`,
    `{"message":"x","level":${nasty}}`,
    `{"event":"x","time":${nasty}}`,
    `{"message":"x","a":{"stack":${nasty}}}`,
  ]) {
    assert.match(humanLine(line), /\{"toString":0\}/i, line);
  }
  assert.match(humanLine('{"message":"x"}'), /x$/);
  const deep = `{"message":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  assert.equal(humanLine(deep), deep);
});

test('a line costs microseconds', () => {
  withFolder((folder) => {
    const log = createLogger({ folder, secrets: () => ['a-secret-of-some-length', 'another-secret-of-some-length'] });
    const begin = process.hrtime.bigint();
    for (let number = 0; number < 5000; number++) log.info('message routed', { session: 'sess-1', number });
    const each = Number(process.hrtime.bigint() - begin) / 5000 / 1000;
    log.close();
    writeFileSync(2, `log: ${each.toFixed(1)} µs a line\n`);
    assert.ok(each < 500, `${each} µs a line`);
  });
});
