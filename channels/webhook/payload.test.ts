import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvent } from './payload.ts';

const json = { 'content-type': 'application/json' };
const read = (body: string | Buffer, headers: Record<string, string> = json) => readEvent(headers, Buffer.from(body));

const taken: readonly [string, string, Record<string, string>, { name: string; payload: unknown }][] = [
  ['JSON', '{"type":"order.paid","n":1}', json, { name: 'order.paid', payload: { type: 'order.paid', n: 1 } }],
  ['JSON without a type', '[1]', json, { name: 'event', payload: [1] }],
  ['a type that is no word', '{"type":"<b>"}', json, { name: 'event', payload: { type: '<b>' } }],
  ['null', 'null', json, { name: 'event', payload: null }],
  [
    'a kind of JSON',
    '1',
    { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
    { name: 'event', payload: 1 },
  ],
  ['text', 'hello', { 'content-type': 'text/plain' }, { name: 'text', payload: 'hello' }],
  [
    'GitHub',
    '{"action":"opened"}',
    { ...json, 'x-github-event': 'issues' },
    { name: 'issues.opened', payload: { action: 'opened' } },
  ],
  ['a forged header', '1', { ...json, 'x-github-event': 'a" b' }, { name: 'event', payload: 1 }],
];

for (const [what, body, headers, wanted] of taken) {
  test(`taken: ${what}`, () => {
    const event = read(body, headers);
    assert.ok('name' in event);
    assert.deepEqual({ name: event.name, payload: event.payload }, wanted);
  });
}

const refused: readonly [string, string | Buffer, Record<string, string>, number][] = [
  ['no type of content', '{}', {}, 415],
  ['a form', 'payload=%7B%7D', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['HTML', '{}', { 'content-type': 'text/html' }, 415],
  ['compressed', '{}', { ...json, 'content-encoding': 'gzip' }, 415],
  ['another charset', '{}', { 'content-type': 'application/json; charset=utf-16' }, 415],
  ['nothing', '', json, 400],
  ['no JSON', '{"a":', json, 400],
  ['JSON and more', '{} {}', json, 400],
  ['bytes', Buffer.from([0xff, 0xfe, 0x00]), json, 400],
  ['bytes as text', Buffer.from([0xff, 0xfe, 0x00]), { 'content-type': 'text/plain' }, 400],
  ['nested too deep', `${'['.repeat(40)}${']'.repeat(40)}`, json, 400],
  ['nested without end', '['.repeat(100_000), json, 400],
  ['nested very deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, json, 400],
];

for (const [what, body, headers, status] of refused) {
  test(`refused: ${what}`, () => assert.deepEqual(read(body, headers), { status }));
}

test('a number that is too large for a number stays as it is written', () => {
  const event = read('{"id":12345678901234567890,"small":-5,"far":1e400,"half":0.1}');
  assert.ok('payload' in event);
  assert.deepEqual(event.payload, { id: '12345678901234567890', small: -5, far: '1e400', half: 0.1 });
});

test('__proto__ in a payload is a name like any other', () => {
  const event = read('{"__proto__":{"type":"x"}}');
  assert.ok('text' in event);
  assert.equal(event.text, '{"__proto__":{"type":"x"}}');
  assert.equal(event.name, 'event');
});
