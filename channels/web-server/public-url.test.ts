import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webhookUrl } from './public-url.ts';

test('the address is PUBLIC_URL and the path', () => {
  assert.equal(webhookUrl('https://a.example', 'slack'), 'https://a.example/webhook/slack');
  assert.equal(webhookUrl('https://a.example/bot/', 'slack-2'), 'https://a.example/bot/webhook/slack-2');
  assert.equal(webhookUrl('http://localhost:3000', 'slack'), 'http://localhost:3000/webhook/slack');
  assert.equal(webhookUrl('http://[::1]:3000', 'slack'), 'http://[::1]:3000/webhook/slack');
});

const wrong: readonly [string | undefined, RegExp][] = [
  [undefined, /no PUBLIC_URL/],
  ['', /no PUBLIC_URL/],
  ['a.example', /is not a URL/],
  ['http://a.example', /https/],
  ['ftp://a.example', /https/],
  ['https://me:secret@a.example', /a name or a password/],
  ['https://a.example/?a=1', /goes on/],
  ['https://a.example/#a', /goes on/],
];

for (const [given, reason] of wrong) {
  test(`${given} is refused`, () => {
    assert.throws(
      () => webhookUrl(given, 'slack'),
      (error: Error) => reason.test(error.message) && !error.message.includes('secret'),
    );
  });
}
