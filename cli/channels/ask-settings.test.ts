import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChannelManifest } from '../../src/channels/plugin.ts';
import { missingFrom, settingsIn, whatIsMissing } from './ask-settings.ts';

const setting = (name: string, more = {}) => ({ name, secret: true, required: true, label: name, steps: [], ...more });
const MANIFEST: ChannelManifest = {
  name: 'chat',
  title: 'Chat',
  summary: '',
  settings: [setting('TOKEN'), setting('PORT', { default: '80' }), setting('NAME', { required: false })],
  downloadMb: 0,
  proof: '',
};

describe('settings from the environment', () => {
  const cases: [what: string, env: Record<string, string>, instance: string, found: Record<string, string>][] = [
    ['by the name of the account', { CHAT_TOKEN: 'a', CHAT_PORT: '1' }, 'chat', { TOKEN: 'a', PORT: '1' }],
    ['a second account has its own', { CHAT_TOKEN: 'a', CHAT_WORK_TOKEN: 'b' }, 'chat-work', { TOKEN: 'b' }],
    ["as many know it, and the account's own name first", { CHAT_BOT_TOKEN: 'a' }, 'chat', { TOKEN: 'a' }],
    ['both', { CHAT_BOT_TOKEN: 'a', CHAT_TOKEN: 'b' }, 'chat', { TOKEN: 'b' }],
    ['what is empty or unknown is nothing', { CHAT_TOKEN: ' ', CHAT_COLOUR: 'red', TOKEN: 'x' }, 'chat', {}],
    ['blanks around it go', { CHAT_TOKEN: ' a\n' }, 'chat', { TOKEN: 'a' }],
  ];
  for (const [what, env, instance, found] of cases) {
    test(what, () => assert.deepEqual(settingsIn(env, instance, MANIFEST), found));
  }
});

test('what is missing is what is required, has no default and was not given', () => {
  const missing = missingFrom(MANIFEST, {});
  assert.deepEqual(
    missing.map(({ name }) => name),
    ['TOKEN'],
  );
  assert.deepEqual(missingFrom(MANIFEST, { TOKEN: 'a' }), []);
  assert.match(whatIsMissing(MANIFEST, 'chat-work', missing).message, /Chat needs TOKEN .*CHAT_WORK_TOKEN/);
});
