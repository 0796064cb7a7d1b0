import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startTelegramServer } from '@openclaw/crabline';
import { z } from 'zod';
import { startHost } from '../../test/support/host-process.ts';
import { runNcl } from '../../test/support/ncl.ts';
import { until } from '../../test/support/until.ts';

/** A real host at somebody else's idea of Telegram: from the token to a conversation. */

const Keyboard = z.object({
  inline_keyboard: z.array(z.array(z.object({ text: z.string(), callback_data: z.string() }))),
});
const Sent = z.object({ text: z.string().optional(), reply_markup: z.unknown().optional() });

test('crabline: a token, a code, a welcome, a question with buttons, a file out', async () => {
  const calls: { path: string; body?: unknown }[] = [];
  const recorder = mkdtempSync(join(tmpdir(), 'crabline-'));
  const server = await startTelegramServer({
    recorderPath: join(recorder, 'recorded.jsonl'),
    onEvent: (event) => void calls.push(event),
  });
  const { botToken, endpoints, adminToken } = server.manifest;
  await using host = await startHost({ env: { TELEGRAM_TOKEN: botToken, TELEGRAM_API_URL: endpoints.apiRoot } });
  try {
    const say = async (text: string) => {
      const headers = { 'content-type': 'application/json', 'X-Crabline-Admin-Token': adminToken };
      const body = JSON.stringify({ chatId: '100', fromId: '100', text });
      const response = await fetch(endpoints.adminInboundUrl, { method: 'POST', headers, body });
      assert.ok(response.ok, await response.text());
    };
    const sent = () =>
      calls.flatMap(({ path, body }) => (/\/send|\/edit/.test(path) ? [Sent.safeParse(body).data ?? {}] : []));
    const shows = (pattern: RegExp) => until(() => sent().some(({ text }) => pattern.test(text ?? '')), 60_000);
    const ncl = async (...args: string[]) => {
      const { status, stdout, stderr } = await runNcl(host.home, args);
      assert.equal(status, 0, stderr);
      return stdout;
    };

    assert.match(await ncl('channels', 'add', 'telegram'), /It works, as @/);
    await say((await ncl('channels', 'pair', 'telegram')).trim());
    await shows(/You are the owner now/);
    await shows(/I am Andy/);

    await say('ask me Tea or coffee?: Tea, Coffee');
    const button = () =>
      sent()
        .flatMap(({ reply_markup }) => Keyboard.safeParse(reply_markup).data?.inline_keyboard.flat() ?? [])
        .find(({ text }) => text === 'Coffee');
    await until(button, 60_000);
    // It hands over no presses: the answer is typed.
    await say('Coffee');
    await shows(/answered: Coffee/);

    await say('write note.txt: remember the milk');
    await shows(/I wrote note\.txt/);
    await say('send me note.txt');
    await until(() => calls.some(({ path }) => path.endsWith('/sendDocument')), 60_000);
  } finally {
    await host.end();
    await server.close();
    rmSync(recorder, { recursive: true });
  }
});
