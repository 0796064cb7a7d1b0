import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { noBrowser, openBrowser, visit } from '../../channels/web/testing/browser.ts';
import { logIn } from '../../channels/web/testing/client.ts';
import { startHost, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** A real host: from nothing to an agent's answer in the page, by ncl alone. */

async function ncl(host: TestHost, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runNcl(host.home, args);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

async function addPage(host: TestHost): Promise<string> {
  const settings = join(host.home, 'settings');
  writeFileSync(settings, 'PORT=0\n');
  await ncl(host, 'channels', 'add', 'web', '--from', settings);
  await until(async () => (await ncl(host, 'channels', 'list')).includes('connected'));
  return ncl(host, 'channels', 'login', 'web');
}

test('the page answers, in a real browser, files both ways, and after kill -9', { skip: noBrowser }, async () => {
  const first = await startHost();
  const link = await addPage(first);
  await ncl(first, 'channels', 'wire', 'web', 'Main');
  const browser = await openBrowser();
  try {
    const { page, complaints } = await visit(browser, link);
    const log = page.locator('#messages');
    const say = async (text: string) => {
      await page.getByRole('textbox', { name: 'Message' }).fill(text);
      await page.keyboard.press('Enter');
    };
    await say('run echo from the $((40 + 2))nd page');
    await log.locator('.theirs').getByText('from the 42nd page').waitFor({ timeout: 60_000 });
    await log.getByText('Answered').waitFor();
    await log.getByText(/^Andy, /).waitFor();
    await page.getByLabel('Files to add').setInputFiles({
      name: 'plan.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('buy oat milk'),
    });
    await page.getByRole('button', { name: 'Remove plan.txt' }).waitFor();
    await say('run cat /workspace/inbound/inbox/*/*plan.txt');
    await log.locator('.theirs').getByText('buy oat milk').waitFor({ timeout: 60_000 });
    await say('write report.txt: forty-two');
    await log.locator('.theirs').last().getByText('report.txt').waitFor({ timeout: 60_000 });
    await say('send me report.txt');
    await log.getByRole('link', { name: 'report.txt' }).waitFor({ timeout: 60_000 });
    const before = await log.getByRole('listitem').count();

    const { port } = new URL(page.url());
    await first.end('SIGKILL');
    await page.getByText('Connecting…', { exact: true }).waitFor();
    await say('run echo after the kill');
    writeFileSync(join(first.home, 'data/channels/web.env'), `PORT="${port}"\n`, { mode: 0o600 });
    await using _second = await startHost({ home: first.home });
    await log.locator('.theirs').getByText('after the kill').waitFor({ timeout: 60_000 });
    assert.ok((await log.getByRole('listitem').count()) >= before + 2);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    await first[Symbol.asyncDispose]();
  }
});

test('a link for another user is a stranger to the agent, and a bad name is refused', async () => {
  await using host = await startHost();
  const owner = await logIn(await addPage(host));
  const ann = await logIn(await ncl(host, 'channels', 'login', 'web', '--user', 'ann'));
  assert.match((await runNcl(host.home, ['channels', 'login', 'web', '--user', 'web:ann'])).stderr, /small letters/);
  await ncl(host, 'channels', 'wire', 'web', 'owner');
  assert.match((await runNcl(host.home, ['channels', 'wire', 'web', 'bob'])).stderr, /web knows no chat "bob"/);
  await ncl(host, 'channels', 'test', 'web');
  await ann.say('hello', crypto.randomUUID(), { chat: 'ann' });
  const [line] = await ann.history('ann');
  assert.notEqual(line?.state, 'stored');
  assert.equal((await owner.say('run echo hi', crypto.randomUUID())).status, 200);
  await until(async () =>
    (await owner.history()).some(({ author, text }) => author === 'agent' && text.includes('hi')),
  );
  assert.equal((await ann.history('ann')).filter(({ author }) => author === 'agent').length <= 1, true);
});

test('a long answer grows in the page, in one message', async () => {
  await using host = await startHost();
  const page = await logIn(await addPage(host));
  await ncl(host, 'channels', 'wire', 'web', 'owner');
  const numbers = Array.from({ length: 200 }, (_, index) => index + 1).join(' ');
  const seen = new Set<string>();
  await page.say('count to 200', crypto.randomUUID());
  await until(async () => {
    for (const { author, text } of await page.history()) if (author === 'agent' && /^1 2/.test(text)) seen.add(text);
    return seen.has(numbers);
  }, 60_000);
  assert.ok(seen.size >= 3, `${seen.size} texts`);
  const said = (await page.history()).filter(({ author, text }) => author === 'agent' && text.startsWith('1 2'));
  assert.deepEqual([said[0]?.edited, said[0]?.speaker], [false, 'Andy']);
  assert.deepEqual(
    said.map(({ text }) => text),
    [numbers],
  );
});

test('the code of the owner, sent in the page, makes them the owner there', async () => {
  await using host = await startHost();
  const page = await logIn(await addPage(host));
  const code = await ncl(host, 'owner-code');
  await page.say(code, crypto.randomUUID());
  await until(async () => (await page.history()).some(({ author }) => author === 'agent'));
  assert.match(await ncl(host, 'roles', 'list'), /web:owner/);
  await page.say('run echo to its owner', crypto.randomUUID());
  await until(async () =>
    (await page.history()).some(({ author, text }) => author === 'agent' && /to its owner/.test(text)),
  );
  // In a new chat nobody listens yet: its owner is asked, and reads where.
  const { id: chat } = z.object({ id: z.string() }).parse((await page.post('/api/chats', { name: 'Plans' })).json);
  await page.say('hello', crypto.randomUUID(), { chat });
  const held = async () => (await page.history(chat)).find(({ author }) => author === 'me');
  await until(async () => (await held())?.note === 'It waits for your answer to the question here.');
  const card = (await page.history(chat)).find(({ card }) => (card?.buttons.length ?? 0) > 0);
  const data = card?.card?.buttons[0]?.data ?? '';
  await page.post(`/api/chats/${chat}/press`, { message: card?.id, data });
  await until(async () => (await held())?.outcome === 'reply', 60_000);
});
