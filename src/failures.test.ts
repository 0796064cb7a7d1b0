import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NanoError } from './errors.ts';
import {
  decideRetry,
  exitFailure,
  FAILURES,
  type Failure,
  type FailureKind,
  MAX_TRIES,
  noticeText,
  startFailure,
} from './failures.ts';

const failure = (kind: FailureKind, retryable: boolean, retryAfterMs?: number): Failure => ({
  kind,
  retryable,
  message: 'x',
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

describe('decideRetry', () => {
  const cases: [name: string, Failure, tries: number, after: number | undefined][] = [
    ['first failure waits 5 s', failure('overload', true), 0, 5_000],
    ['second 10 s', failure('overload', true), 1, 10_000],
    ['fifth 80 s', failure('overload', true), 4, 80_000],
    ['after five retries it is over', failure('overload', true), 5, undefined],
    ['not retryable is over at once', failure('auth', false), 0, undefined],
    ['what the provider asks for is waited for', failure('rate-limit', true, 30_000), 0, 30_000],
    ['but never less than our own backoff', failure('rate-limit', true, 1_000), 1, 10_000],
    ['nor for an hour', failure('rate-limit', true, 3_600_000), 0, undefined],
  ];
  for (const [name, what, tries, after] of cases) {
    test(name, () => {
      const expected = after === undefined ? { retry: false } : { retry: true, afterMs: after };
      assert.deepEqual(decideRetry(what, tries), expected);
    });
  }
});

describe('noticeText', () => {
  test('the first failure says what and when; the ones between are silent; the last says what to do', () => {
    const what = failure('overload', true);
    const told = [0, 1, 2, 3, 4, 5].map((tries) => noticeText(what, tries, decideRetry(what, tries)));
    assert.match(told[0] ?? '', /overloaded.*try again in 5 seconds/);
    assert.deepEqual(told.slice(1, 5), [undefined, undefined, undefined, undefined]);
    assert.match(told[5] ?? '', new RegExp(`gave up after ${MAX_TRIES + 1} tries`));
  });

  test('every kind has a sentence and a remedy', () => {
    for (const kind of Object.keys(FAILURES) as FailureKind[]) {
      const text = noticeText(failure(kind, false), 0, { retry: false }) ?? '';
      assert.ok(text.length > 30 && text.length < 250, `${kind}: ${text}`);
    }
  });
});

describe('a start that failed', () => {
  const told = (error: Error) => noticeText(startFailure(error), 0, { retry: false });
  test('an engine that is away is named', () => {
    const said = told(new NanoError('NC_SANDBOX_ENGINE', 'There is no container engine at /secret/docker.sock.'));
    assert.equal(said, `⚠️ ${FAILURES['sandbox-engine'].what} ${FAILURES['sandbox-engine'].remedy}`);
  });
  test('the setting that is wrong is named, and nothing else of the sentence', () => {
    const { what, remedy } = FAILURES['sandbox-unusable'];
    const said = told(new NanoError('NC_SANDBOX_UNUSABLE', 'NANOCLAW_RUNTIME is "dokcer"; there are /secret.'));
    assert.equal(said, `⚠️ ${what} It was the setting NANOCLAW_RUNTIME. ${remedy}`);
  });
});

describe('the last words of a sandbox that crashed', () => {
  const cases: [name: string, lines: string[], words: string | undefined][] = [
    ['nothing printed', [], undefined],
    [
      'the error, not its stack',
      ['1 | throw new Error()', 'error: boom', '      at /x.ts:1:7', 'Bun v1.4.5 (Linux x64)'],
      'error: boom',
    ],
    [
      'a panic, not where to report it',
      ['panic: Segmentation fault', 'oh no!', ' https://bun.report/1'],
      'panic: Segmentation fault',
    ],
    ['no record of its own log', ['Killed', '{"time":"x","event":"provider-error"}'], 'Killed'],
    ['a long one is cut', [`error: ${'x'.repeat(400)}`], `error: ${'x'.repeat(193)}`],
  ];
  for (const [name, lastLines, words] of cases) {
    test(name, () => {
      const crash = exitFailure({ code: 1, outOfMemory: false, lastLines }, undefined);
      assert.equal(crash?.lastWords, words);
      const notice = crash && noticeText(crash, 0, { retry: false });
      assert.equal(notice?.endsWith(words === undefined ? 'again.' : ` Its last words: ${words}`), true, notice);
    });
  }
});
