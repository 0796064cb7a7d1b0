import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSources } from './sources.ts';

const secret = (letter: string) => `whsec_${Buffer.alloc(32, letter).toString('base64')}`;
const [a, b, c] = [secret('a'), secret('b'), secret('c')];

test('one source with one secret is enough', () => {
  const sources = readSources({ SECRET: a });
  assert.deepEqual([...sources.keys()], ['events']);
  assert.deepEqual(sources.get('events'), { name: 'events', scheme: 'standard', keys: [Buffer.alloc(32, 'a')] });
});

test('each further one has settings of its own', () => {
  const sources = readSources({
    SOURCES: 'alarm my-repo',
    SECRET: `${a} ${b}`,
    ANSWER_URL: 'https://a.example/x',
    ANSWER_SECRET: c,
    SIGNATURE_MY_REPO: 'github',
    SECRET_MY_REPO: 'a secret of twenty-four characters'.replaceAll(' ', '-'),
    ANSWER_URL_MY_REPO: 'http://10.0.0.2/x',
    ANSWER_SECRET_MY_REPO: c,
    ANSWER_PRIVATE_MY_REPO: 'yes',
  });
  assert.equal(sources.get('alarm')?.keys.length, 2);
  assert.equal(sources.get('alarm')?.answer?.isPrivate, false);
  assert.equal(sources.get('my-repo')?.scheme, 'github');
  assert.equal(sources.get('my-repo')?.answer?.url.href, 'http://10.0.0.2/x');
});

const wrong: readonly [Record<string, string>, RegExp][] = [
  [{}, /SECRET is missing/],
  [{ SECRET: ' ' }, /SECRET is missing/],
  [{ SOURCES: ' ', SECRET: a }, /SOURCES names none/],
  [{ SOURCES: 'a a', SECRET: a }, /twice/],
  [{ SOURCES: '../x', SECRET: a }, /small letters/],
  [{ SOURCES: 'A', SECRET: a }, /small letters/],
  [{ SOURCES: 'x y', SECRET: a }, /SECRET_Y is missing/],
  [{ SOURCES: 'x y', SECRET: a, SECRET_Y: a }, /same secret/],
  [{ SOURCES: 'x y', SECRET: `${a} ${b}`, SECRET_Y: b }, /same secret/],
  [{ SECRET: 'short-one' }, /shorter than 24/],
  [{ SECRET: 'whsec_YWJj' }, /fewer than 24 bytes/],
  [{ SECRET: `whsec_${'*'.repeat(50)}` }, /not base64/],
  [{ SECRET: a, SIGNATURE: 'none' }, /neither standard nor github/],
  [{ SECRET: a, ANSWER_URL: 'https://a.example' }, /ANSWER_SECRET is missing/],
  [{ SECRET: a, ANSWER_URL: 'https://a.example', ANSWER_SECRET: a }, /the same as SECRET/],
  [{ SECRET: a, ANSWER_URL: 'http://a.example', ANSWER_SECRET: b }, /https/],
  [{ SECRET: a, ANSWER_URL: 'file:///etc/passwd', ANSWER_PRIVATE: 'yes', ANSWER_SECRET: b }, /https/],
  [{ SECRET: a, ANSWER_URL: 'https://me:pass@a.example', ANSWER_SECRET: b }, /a name or a password/],
  [{ SECRET: a, ANSWER_URL: 'nowhere', ANSWER_SECRET: b }, /not a URL/],
];

for (const [settings, reason] of wrong) {
  test(`refused: ${reason.source} (${Object.keys(settings).join()})`, () => {
    assert.throws(
      () => readSources(settings),
      (error: Error) => reason.test(error.message) && !error.message.includes(a) && !error.message.includes('pass@'),
    );
  });
}
