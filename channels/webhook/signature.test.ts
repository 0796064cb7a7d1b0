import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { readKey, standardSignature, TOLERANCE_S, verify } from './signature.ts';

const NOW = Date.parse('2026-11-21T10:00:00Z');
const time = String(NOW / 1000);
const key = randomBytes(32);
const other = randomBytes(32);
const body = Buffer.from('{"type":"ping"}');

interface Given {
  keys?: readonly Buffer[];
  sent?: Buffer;
  now?: number;
}

function standard(headers: Record<string, string>, { keys = [key], sent = body, now = NOW }: Given = {}) {
  return verify({ scheme: 'standard', keys }, { headers, body: sent }, now);
}
const signed = (id: string, at: string, by: Buffer = key, of: Buffer = body) => ({
  'webhook-id': id,
  'webhook-timestamp': at,
  'webhook-signature': standardSignature(by, id, at, of),
});

test('the example of the Standard Webhooks specification verifies', () => {
  const example = readKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'standard');
  assert.ok(Buffer.isBuffer(example));
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  const sent = Buffer.from('{"test": 2432232314}');
  assert.deepEqual(standard(headers, { keys: [example], sent, now: 1_614_265_330_000 }), {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: 1_614_265_330_000,
  });
});

test('the example of GitHub verifies', () => {
  const secret = readKey("It's a Secret to Everybody", 'github');
  assert.ok(Buffer.isBuffer(secret));
  const headers = {
    'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  };
  const verified = verify({ scheme: 'github', keys: [secret] }, { headers, body: Buffer.from('Hello, World!') }, NOW);
  assert.match(verified?.id ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.equal(verified?.at, NOW);
});

test('any of several signatures by any of several keys is enough', () => {
  const [mine, others] = [signed('a', time), signed('a', time, other)];
  const both = `${others['webhook-signature']} v1a,abc= ${mine['webhook-signature']}`;
  assert.ok(standard({ ...mine, 'webhook-signature': both }));
  assert.ok(standard(others, { keys: [key, other] }));
});

test('the window is five minutes, both ways', () => {
  for (const off of [-TOLERANCE_S, 0, TOLERANCE_S])
    assert.ok(standard(signed('a', String(NOW / 1000 + off))), `${off}`);
});

const right = signed('a', time);
const signature = right['webhook-signature'];
const hmac = (algorithm: string, text: string) => createHmac(algorithm, key).update(text).update(body).digest();

const refused: readonly [string, Record<string, string>, Given?][] = [
  ['no headers', {}],
  ['no signature', { ...right, 'webhook-signature': '' }],
  ['another key', signed('a', time, other)],
  ['another body', right, { sent: Buffer.from('{"type":"pong"}') }],
  ['one more byte', right, { sent: Buffer.concat([body, Buffer.from('\n')]) }],
  ['an empty body', right, { sent: Buffer.alloc(0) }],
  ['another id', { ...right, 'webhook-id': 'b' }],
  ['another time', { ...right, 'webhook-timestamp': String(Number(time) + 1) }],
  ['too old', signed('a', String(Number(time) - TOLERANCE_S - 1))],
  ['in the future', signed('a', String(Number(time) + TOLERANCE_S + 1))],
  ['in milliseconds', signed('a', String(NOW))],
  ['a time with a sign', signed('a', `+${time}`)],
  ['a time with a zero', signed('a', `0${time}`)],
  ['a time in hex', signed('a', `0x${Number(time).toString(16)}`)],
  ['a time with a blank', signed('a', ` ${time}`)],
  ['a time with a fraction', signed('a', `${time}.0`)],
  ['no time', signed('a', '')],
  ['no id', signed('', time)],
  ['a dot in the id', signed('a.b', time)],
  ['a long id', signed('a'.repeat(129), time)],
  ['a control character in the id', signed('a\n', time)],
  ['no version', { ...right, 'webhook-signature': signature.slice(3) }],
  ['another version', { ...right, 'webhook-signature': signature.replace('v1', 'v2') }],
  ['an asymmetric version', { ...right, 'webhook-signature': signature.replace('v1', 'v1a') }],
  ['"none"', { ...right, 'webhook-signature': 'none' }],
  ['an empty signature of a version', { ...right, 'webhook-signature': 'v1,' }],
  ['cut off', { ...right, 'webhook-signature': signature.slice(0, -4) }],
  ['in hex', { ...right, 'webhook-signature': `v1,${hmac('sha256', `a.${time}.`).toString('hex')}` }],
  ['base64url', { ...right, 'webhook-signature': `v1,${Buffer.alloc(32, 255).toString('base64url')}` }],
  ['SHA-1', { ...right, 'webhook-signature': `v1,${hmac('sha1', `a.${time}.`).toString('base64')}` }],
  ['SHA-512', { ...right, 'webhook-signature': `v1,${hmac('sha512', `a.${time}.`).toString('base64')}` }],
  ['over the body alone', { ...right, 'webhook-signature': `v1,${hmac('sha256', '').toString('base64')}` }],
  ['behind sixteen others', { ...right, 'webhook-signature': `${'v1,a '.repeat(16)}${signature}` }],
  [
    "GitHub's",
    { ...right, 'webhook-signature': '', 'x-hub-signature-256': `sha256=${hmac('sha256', '').toString('hex')}` },
  ],
  ['an empty key', signed('a', time, Buffer.alloc(0))],
];

for (const [what, headers, more] of refused) {
  test(`refused: ${what}`, () => assert.equal(standard(headers, more), undefined));
}

test('what is signed can not be cut elsewhere to pass for a later one', () => {
  const later = String(Number(time) + 60);
  const sent = Buffer.from(`${later}.hello`);
  const original = signed('msg', time, key, sent);
  const headers = { ...original, 'webhook-id': `msg.${time}`, 'webhook-timestamp': later };
  assert.equal(standard(headers, { sent: Buffer.from('hello') }), undefined);
});

const hub = (algorithm: string) => createHmac(algorithm, key).update(body).digest('hex');
const refusedHub: readonly [string, Record<string, string>][] = [
  ['nothing', {}],
  ['SHA-1 alone', { 'x-hub-signature': `sha1=${hub('sha1')}` }],
  ['SHA-1 in its place', { 'x-hub-signature-256': `sha1=${hub('sha1')}` }],
  ['without a name', { 'x-hub-signature-256': hub('sha256') }],
  ['in capitals', { 'x-hub-signature-256': `sha256=${hub('sha256').toUpperCase()}` }],
  ['half of it', { 'x-hub-signature-256': `sha256=${hub('sha256').slice(0, 32)}` }],
  ['Standard Webhooks', right],
];

for (const [what, headers] of refusedHub) {
  test(`refused where GitHub's is wanted: ${what}`, () => {
    assert.equal(verify({ scheme: 'github', keys: [key] }, { headers, body }, NOW), undefined);
  });
}

test("the same bytes are the same event, whatever GitHub's delivery is called", () => {
  const headers = { 'x-hub-signature-256': `sha256=${hub('sha256')}` };
  const ids = ['one', 'two'].map(
    (delivery) =>
      verify({ scheme: 'github', keys: [key] }, { headers: { ...headers, 'x-github-delivery': delivery }, body }, NOW)
        ?.id,
  );
  assert.equal(new Set(ids).size, 1);
});
