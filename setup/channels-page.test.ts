import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Browser, noBrowser, openBrowser, visit } from '../channels/web/testing/browser.ts';
import { Checkout } from './testing/checkout.ts';

/** nanoclaw.sh, to a conversation in the browser. NANOCLAW_PICTURES=1 makes the pictures of docs/channels/web.md. */

const PICTURES = join(import.meta.dirname, '../docs/channels/pictures');
const ANSWER = { timeout: 60_000 };

async function openPage(browser: Browser, link: string, options: Parameters<typeof visit>[2] = {}) {
  const seen = await visit(browser, link, { colorScheme: 'light', reducedMotion: 'reduce', ...options });
  const box = seen.page.getByRole('textbox', { name: 'Message' });
  const log = seen.page.locator('#messages');
  return {
    ...seen,
    log,
    theirs: log.locator('.theirs'),
    async say(text: string) {
      await box.fill(text);
      await seen.page.keyboard.press('Enter');
    },
    async picture(name: string) {
      if (process.env.NANOCLAW_PICTURES !== '1') return;
      mkdirSync(PICTURES, { recursive: true });
      // Machines for tests have no font for these.
      await log.evaluate((all) => {
        for (const one of all.querySelectorAll('.theirs *')) {
          const [text] = one.childNodes;
          if (text?.nodeValue) text.nodeValue = text.nodeValue.replace(/^\p{Extended_Pictographic}\s/u, '');
        }
      });
      await seen.page.screenshot({ path: join(PICTURES, `${name}.png`) });
    },
  };
}

test('from a fresh checkout to the page: a welcome, a question with buttons, a file each way', {
  skip: noBrowser,
}, async () => {
  await using checkout = Checkout.installed();
  const ran = await checkout.setUp(['--yes', '--channel', 'web'], { WEB_PORT: '0' });
  assert.equal(ran.status, 0, ran.stderr);
  const [link = ''] = /http:\/\/127\.0\.0\.1:\d+\/login#\S+/.exec(ran.stderr) ?? [];
  const browser = await openBrowser();
  try {
    const { page, log, theirs, say, picture, complaints } = await openPage(browser, link, {
      viewport: { width: 900, height: 560 },
    });
    await theirs.getByText('I am Andy').waitFor(ANSWER);
    await say('ask me Tea or coffee?: Tea, Coffee');
    await log.getByRole('button', { name: 'Coffee' }).waitFor(ANSWER);
    await picture('question');
    await log.getByRole('button', { name: 'Coffee' }).click();
    await theirs.last().getByText('answered: Coffee').waitFor(ANSWER);
    assert.equal(await log.getByRole('button', { name: 'Coffee' }).count(), 0);

    const plan = { name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('buy oat milk') };
    await page.getByLabel('Files to add').setInputFiles(plan);
    await page.getByRole('button', { name: 'Remove plan.txt' }).waitFor();
    await say('read plan.txt');
    await theirs.getByText('buy oat milk').waitFor(ANSWER);
    await say('write report.txt: forty-two');
    await theirs.last().getByText('report.txt').waitFor(ANSWER);
    await say('send me report.txt');
    const down = page.waitForEvent('download', ANSWER);
    await log.getByRole('link', { name: 'report.txt' }).click(ANSWER);
    assert.equal(readFileSync(await (await down).path(), 'utf8'), 'forty-two\n');
    assert.deepEqual(complaints, []);

    const { stdout } = await checkout.run(['bin/ncl', 'channels', 'login', 'web']);
    const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
    const second = await openPage(browser, stdout.trim(), phone);
    await second.theirs
      .getByText('forty-two')
      .or(second.log.getByRole('link', { name: 'report.txt' }))
      .first()
      .waitFor();
    await second.picture('phone');
  } finally {
    await browser.close();
  }
});
