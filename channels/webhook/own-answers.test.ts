import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { InboundEvent } from '../../src/channels/adapter.ts';
import { freePort } from '../../test/fakes/mail/dovecot.ts';
import { createWebDoors } from '../web-server/index.ts';
import { testLog } from '../web-server/test-support.ts';
import { plugin } from './index.ts';

test('an answer whose address leads back to this host wakes nobody, under whichever account', async () => {
  const log = testLog();
  const port = String(await freePort());
  const doors = createWebDoors({ env: () => ({ WEBHOOK_PORT: port }), log });
  const events: InboundEvent[] = [];
  const [one, other] = [randomBytes(32), randomBytes(32)].map((key) => `whsec_${key.toString('base64')}`);
  const open = (instance: string, secret = '', answers = '', to: string) =>
    plugin.create({
      instance,
      settings: {
        SECRET: secret,
        ANSWER_URL: `http://127.0.0.1:${port}/webhook/${to}/events`,
        ANSWER_SECRET: answers,
        ANSWER_PRIVATE: 'yes',
      },
      folder: '/nonexistent',
      recall: () => undefined,
      remember() {},
      web: doors.of(instance),
      log,
    });
  const adapters = [open('alarms', one, other, 'doors'), open('doors', other, one, 'alarms')];
  try {
    for (const adapter of adapters) {
      await adapter.start({
        async accept(event) {
          events.push(event);
          return { status: 'stored', messageIds: ['m'] };
        },
        press: async () => '',
        available() {},
      });
    }
    const said = { platformId: 'events', threadId: null, text: 'round and round', progress: false, files: [] };
    for (const [index, adapter] of adapters.entries()) {
      assert.deepEqual(await adapter.deliver({ ...said, id: `out-${index}` }), { status: 'sent' });
    }
    assert.deepEqual(events, []);
  } finally {
    for (const adapter of adapters) await adapter.stop();
    log.close();
  }
});
