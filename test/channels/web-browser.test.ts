import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { portOf } from '../../channels/web/server/listen.ts';
import { type Browser, noBrowser, openBrowser, violations, visit } from '../../channels/web/testing/browser.ts';
import { PAYLOADS } from '../../channels/web/testing/payloads.ts';
import { startStage } from '../../channels/web/testing/stage.ts';
import { until } from '../support/until.ts';
import { PICTURES, showOff } from './web-pictures.ts';

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

describe('the page, in a real browser', { skip: noBrowser }, () => {
  let browser: Browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  async function enter(options: Parameters<typeof visit>[2] = {}) {
    const stage = await startStage();
    const seen = await visit(browser, stage.link(), options);
    const { page } = seen;
    await page.getByText('Connected', { exact: true }).waitFor();
    return {
      ...seen,
      stage,
      box: page.getByRole('textbox', { name: 'Message' }),
      log: page.getByRole('region', { name: 'Messages', exact: true }),
      async [Symbol.asyncDispose]() {
        await seen.context.close();
        await stage[Symbol.asyncDispose]();
      },
    };
  }

  test('a link logs in, leaves no trace in the address, and opens once', async () => {
    await using room = await enter();
    const { page, stage } = room;
    assert.equal(page.url(), `${stage.origin}/#owner`);
    const link = stage.link();
    const other = await visit(browser, link);
    await other.page.getByText('Connected', { exact: true }).waitFor();
    const third = await visit(browser, link);
    await third.page.getByText('This link was used already').waitFor();
    await third.page.getByText('bin/ncl channels login web', { exact: true }).waitFor();
    await other.context.close();
    await third.context.close();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('You are logged out.').waitFor();
    await page.reload();
    await page.getByText('You are not logged in.').waitFor();
    assert.deepEqual(room.complaints, []);
  });

  test('a link that was used is no reason to stay outside for who is inside', async () => {
    await using room = await enter();
    const link = room.stage.link();
    for (let n = 0; n < 2; n++) {
      await room.page.goto('about:blank');
      await room.page.goto(link);
      await room.page.getByText('Connected', { exact: true }).waitFor();
    }
  });

  test('no other page gets at it: under a name of its own, in a frame, by a form, by a script', async () => {
    await using room = await enter();
    const { stage, page, context } = room;
    const { port } = new URL(stage.origin);
    const rebound = await page.request.get(stage.origin, { headers: { Host: `evil.example:${port}` } });
    assert.equal(rebound.status(), 403);
    const evil = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<iframe src="${stage.origin}/"></iframe>
        <form id="form" method="post" enctype="text/plain" action="${stage.origin}/api/chats" target="sink">
          <input name='{"name":"stolen","x":"' value='"}'></form><iframe name="sink"></iframe>`);
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    try {
      const other = await context.newPage();
      // The same site to a browser, since sites know no ports: the cookie comes along, and must not be enough.
      await other.goto(`http://127.0.0.1:${portOf(evil)}/`);
      const outcomes = await other.evaluate(async (origin) => {
        const body = JSON.stringify({ id: 'a'.repeat(36), text: 'stolen', files: [] });
        const headers = { 'Content-Type': 'application/json' };
        const options = { method: 'POST', credentials: 'include', body } as const;
        const say = `${origin}/api/chats/owner/messages`;
        const all = [
          fetch(`${origin}/api/chats`, { credentials: 'include' }),
          fetch(say, { ...options, headers }),
          fetch(say, options),
          fetch(say, { ...options, mode: 'no-cors' }),
        ];
        return (await Promise.allSettled(all)).map((one) => (one.status === 'fulfilled' ? one.value.type : 'refused'));
      }, stage.origin);
      assert.deepEqual(outcomes, ['refused', 'refused', 'refused', 'refused']);
      await other.evaluate('document.getElementById("form").submit()');
      await until(() =>
        other.frames().some((frame) => frame.url().startsWith('chrome-error') || frame.name() === 'sink'),
      );
      assert.equal(stage.events.length, 0);
      await page.reload();
      await page.getByText('Connected', { exact: true }).waitFor();
      assert.equal(await page.getByText('stolen').count(), 0);
      assert.equal(
        await other
          .frames()[1]
          ?.locator('#room')
          .count()
          .catch(() => 0),
        0,
      );
    } finally {
      evil.close();
    }
  });

  test('a message goes out, its answer comes in, and both are there after a reload', async () => {
    await using room = await enter();
    const { page, stage, box, log } = room;
    await box.fill('hello');
    await page.getByRole('button', { name: 'Send' }).click();
    await log.getByText('Sent').waitFor();
    stage.adapter.typing('owner', null, true);
    await log.getByText('Working…').waitFor();
    await stage.say('Looking into it', { progress: true });
    await log.getByText('Looking into it').waitFor();
    await stage.say('Here is **the answer**', { speaker: 'Andy' });
    await log.getByText(/^Andy, /).waitFor();
    await log.locator('strong', { hasText: 'the answer' }).waitFor();
    await log.getByText('Looking into it').waitFor({ state: 'hidden' });
    stage.adapter.typing('owner', null, false);
    stage.adapter.settled?.('owner', stage.events[0]?.platformMessageId ?? '', 'reply');
    await log.getByText('Answered').waitFor();
    await log.getByText('Working…').waitFor({ state: 'hidden' });
    await page.reload();
    await log.getByText('hello').waitFor();
    await log.locator('strong', { hasText: 'the answer' }).waitFor();
    assert.equal(await log.getByRole('listitem').count(), 2);
    assert.deepEqual(room.complaints, []);
  });

  test('buttons are pressed once shown, and go when the card is replaced', async () => {
    await using room = await enter();
    const { stage, log } = room;
    const buttons = [
      { data: 'y', label: 'Allow' },
      { data: 'n', label: 'Deny' },
    ];
    await stage.say('May I?', { id: 'c', card: { title: 'May I write?', body: 'To `notes.txt`', buttons } });
    await log.getByRole('group', { name: 'May I write?' }).getByRole('button', { name: 'Deny' }).click();
    await log.getByText('Allowed.').waitFor();
    assert.equal(stage.presses[0]?.data, 'n');
    await stage.say('Denied by owner.', { edits: 'c' });
    await log.getByText('Denied by owner.').waitFor();
    assert.equal(await log.getByRole('button').count(), 0);
    // It says itself how it ended.
    assert.equal(await log.getByText('Allowed.').count(), 0);
  });

  test('what a message waited for is not said of one that was answered', async () => {
    await using room = await enter();
    const { stage, box, log } = room;
    stage.answer = () => ({ status: 'held' });
    await box.fill('hello');
    await box.press('Enter');
    await log.getByText('Held. It waits until the owner has decided.').waitFor();
    stage.adapter.settled?.('owner', stage.events[0]?.platformMessageId ?? '', 'reply');
    await log.getByText('Answered', { exact: true }).waitFor();
  });

  test('an answer that grows is no changed one, is unread once, and each of its words is said once', async () => {
    await using room = await enter();
    const { page, stage, log } = room;
    stage.adapter.typing('owner', null, true);
    await log.getByText('Working…').waitFor();
    await stage.say('one tw', { id: 'g' });
    await stage.say('one two thr', { edits: 'g' });
    await stage.say('one two three', { edits: 'g' });
    await log.getByText('one two three').waitFor();
    stage.adapter.typing('owner', null, false);
    await log.getByText('Working…').waitFor({ state: 'hidden' });
    assert.deepEqual(await page.locator('#news p').allTextContents(), ['Main: one ', 'two ', 'three']);
    assert.equal(await log.getByText('changed').count(), 0);
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Plans');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Plans', level: 1 }).waitFor();
    await stage.say('four', { id: 'h' });
    await stage.say('four five', { edits: 'h' });
    await stage.say('six');
    await page.waitForFunction('document.title === "(2) NanoClaw"');
    await stage.say('four, changed', { edits: 'h' });
    await until(async () => (await page.locator('#news').textContent())?.includes('four, changed'));
    assert.equal(await page.title(), '(2) NanoClaw');
  });

  test('the newest message stays in sight when a keyboard takes half of the screen, and not for who reads above', async () => {
    await using room = await enter({ viewport: { width: 360, height: 700 } });
    const { page, stage, log } = room;
    for (let n = 1; n <= 40; n++) await stage.say(`message ${n}.`);
    await log.getByText('message 40.').waitFor();
    const fromEnd = () => log.evaluate((box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight));
    for (const size of [
      { width: 360, height: 400 },
      { width: 700, height: 360 },
      { width: 360, height: 700 },
    ]) {
      await page.setViewportSize(size);
      await until(async () => (await fromEnd()) <= 1);
    }
    await log.evaluate((box) => box.scrollTo(0, 0));
    await until(async () => (await fromEnd()) > 500);
    // It is heard a frame later that it has been moved.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    await page.setViewportSize({ width: 360, height: 400 });
    await until(async () => (await log.evaluate((box) => box.clientHeight)) < 400);
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    assert.ok((await fromEnd()) > 500);
  });

  test('files go up and come down; a picture is shown', async () => {
    await using room = await enter();
    const { page, stage, box, log } = room;
    await page.getByLabel('Files to add').setInputFiles([
      { name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('buy milk') },
      { name: 'wrong.txt', mimeType: 'text/plain', buffer: Buffer.from('no') },
    ]);
    await page.getByRole('button', { name: 'Remove wrong.txt' }).click();
    await box.fill('the plan');
    await box.press('Enter');
    await log.getByRole('link', { name: 'plan.txt' }).waitFor();
    assert.deepEqual(stage.contents, ['buy milk']);
    const path = join(stage.folder, 'lent.png');
    writeFileSync(path, readFileSync(PIXEL_FILE()));
    await stage.say('a picture', { files: [{ name: 'dot.png', path, size: 70 }] });
    const picture = log.getByRole('img', { name: 'dot.png' });
    await picture.scrollIntoViewIfNeeded();
    await until(() => picture.evaluate((image) => 'naturalWidth' in image && image.naturalWidth === 1));
    const down = page.waitForEvent('download');
    await log.getByRole('link', { name: 'plan.txt' }).click();
    const download = await down;
    assert.equal(download.suggestedFilename(), 'plan.txt');
    assert.equal(readFileSync(await download.path(), 'utf8'), 'buy milk');
    assert.deepEqual(room.complaints, []);

    function PIXEL_FILE() {
      const file = join(stage.folder, 'pixel.png');
      const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
      writeFileSync(file, Buffer.from(pixel, 'base64'));
      return file;
    }
  });

  test('what is written without a connection is sent once when there is one, also after a reload', async () => {
    await using room = await enter();
    const { page, context, stage, box, log } = room;
    await context.setOffline(true);
    await page.getByText('Offline', { exact: true }).waitFor();
    for (const text of ['first', 'second']) {
      await box.fill(text);
      await box.press('Enter');
    }
    assert.equal(await log.getByText('Waits for a connection').count(), 2);
    await context.setOffline(false);
    await until(() => stage.events.length === 2);
    await page.reload();
    await log.getByText('second').waitFor();
    assert.deepEqual(
      stage.events.map(({ text }) => text),
      ['first', 'second'],
    );
    assert.equal(await log.getByRole('listitem').count(), 2);
  });

  test('after a restart of the host the page is told what it missed', async () => {
    await using first = await startStage({ keep: true });
    const { page, context } = await visit(browser, first.link());
    await page.getByText('Connected', { exact: true }).waitFor();
    await first.stop();
    await page.getByText('Connecting…', { exact: true }).waitFor();
    await page.getByRole('textbox', { name: 'Message' }).fill('are you there?');
    await page.keyboard.press('Enter');
    const port = new URL(first.origin).port;
    await using second = await startStage({ folder: first.folder, settings: { PORT: port } });
    await second.say('I was away');
    await page.locator('#messages').getByText('I was away').waitFor();
    await until(() => second.events.length === 1);
    assert.equal(second.events[0]?.text, 'are you there?');
    await context.close();
  });

  test('chats: made, renamed, switched; what is unread is counted in the title', async () => {
    await using room = await enter();
    const { page, stage, box, log } = room;
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Plans');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Plans', level: 1 }).waitFor();
    await box.fill('in plans');
    await box.press('Enter');
    await until(() => stage.events[0]?.chatName === 'Plans');
    await stage.say('elsewhere one');
    await stage.say('elsewhere two');
    await page.waitForFunction('document.title === "(2) NanoClaw"');
    await page.getByRole('navigation', { name: 'Chats' }).getByRole('button', { name: 'Main 2 unread' }).click();
    await log.getByText('elsewhere two').waitFor();
    assert.equal(await log.getByText('in plans').count(), 0);
    await page.waitForFunction('document.title === "NanoClaw"');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('dialog', { name: 'Rename this chat' }).getByLabel('Name').fill('Home');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Home', level: 1 }).waitFor();
  });

  test('by keyboard alone', async () => {
    await using room = await enter();
    const { page, stage, log } = room;
    const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent');
    await until(async () => (await focused()) === 'text');
    await page.keyboard.type('one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    await until(() => stage.events.length === 1);
    assert.equal(stage.events[0]?.text, 'one\ntwo');
    await stage.say('May I?', { card: { title: 'May I?', body: '', buttons: [{ data: 'y', label: 'Allow' }] } });
    await log.getByRole('button', { name: 'Allow' }).waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Shift+Tab');
    assert.equal(await focused(), 'Allow');
    await page.keyboard.press('Enter');
    await until(() => stage.presses.length === 1);
    await log.getByText('Allowed.').waitFor();
    assert.equal(await focused(), 'Allow');
    const { id: card } = stage.presses[0] ? { id: stage.presses[0].platformMessageId } : { id: '' };
    await stage.say('Allowed by owner.', { edits: card ?? '' });
    await until(async () => /Allowed by owner/.test(String(await focused())));
    assert.equal(await page.evaluate('document.activeElement.tagName'), 'LI');
    await stage.say('May I?', { card: { title: 'May I?', body: '', buttons: [{ data: 'y', label: 'Allow' }] } });
    await log.getByRole('button', { name: 'Allow' }).waitFor();
    await page.reload();
    await page.getByText('Connected', { exact: true }).waitFor();
    await until(async () => (await focused()) === 'text');
    await page.evaluate('document.activeElement.blur(); document.body.focus()');
    const order: unknown[] = [];
    await page.locator('#skip').focus();
    for (let n = 0; n < 8; n++) {
      order.push(await focused());
      await page.keyboard.press('Tab');
    }
    assert.deepEqual(order, ['skip', 'new-chat', 'Main', 'log-out', 'rename', 'log', 'Allow', 'attach']);
    await page.locator('#skip').focus();
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'text');
    await page.locator('#rename').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Rename this chat' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(await focused(), 'rename');
  });

  test('everything has a name that a screen reader can say, and what is new is said once', async () => {
    await using room = await enter();
    const { page, stage } = room;
    await showOff(stage);
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    const tree = await page.locator('body').ariaSnapshot();
    assert.doesNotMatch(tree, /^\s*- (button|link|textbox|img|region|navigation|form|dialog)(:|$)/m);
    for (const landmark of ['navigation "Chats"', 'main', 'form "Write a message"', 'region "Messages"']) {
      assert.ok(tree.includes(`- ${landmark}`), landmark);
    }
    assert.equal(await page.locator('main:visible').count(), 1);
    const before = await page.locator('#news p').count();
    await stage.say('Quiet **news**.', { id: 'news' });
    await until(async () => (await page.locator('#news').textContent())?.includes('Main: Quiet news.'));
    assert.equal(await page.locator('#news').getAttribute('aria-live'), 'polite');
    await page.reload();
    await page.locator('#messages').getByText('Quiet').waitFor();
    assert.ok(before > 0);
    assert.equal(await page.locator('#news p').count(), 0);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`the rules of axe are kept, ${colorScheme}: names, roles, order, contrast`, async () => {
      await using room = await enter({ colorScheme, reducedMotion: 'reduce' });
      const { page, stage, box } = room;
      await box.fill('hello');
      await box.press('Enter');
      await showOff(stage);
      await stage.say('On the way', { progress: true });
      await page.getByRole('button', { name: 'Allow' }).waitFor();
      assert.deepEqual(await violations(page), []);
      await page.getByRole('button', { name: 'New chat' }).click();
      await page.getByRole('dialog').waitFor();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByText('You are logged out.').waitFor();
      assert.deepEqual(await violations(page), []);
    });
  }

  test('on a phone nothing is cut off, and the chats are behind a button', async () => {
    await using room = await enter(PHONE);
    const { page, stage, box } = room;
    await showOff(stage);
    await stage.say(`${'x'.repeat(400)} https://example.org/${'y'.repeat(300)}`);
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true);
    const send = await page.getByRole('button', { name: 'Send' }).boundingBox();
    assert.ok(send && send.x + send.width <= 360 && send.y + send.height <= 740 && send.height >= 40);
    const menu = page.getByRole('button', { name: 'Chats' });
    assert.equal(await menu.getAttribute('aria-expanded'), 'false');
    assert.equal(await page.getByRole('button', { name: 'New chat' }).isVisible(), false);
    await menu.tap();
    assert.equal(await menu.getAttribute('aria-expanded'), 'true');
    await page.getByRole('button', { name: 'New chat' }).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('button', { name: 'New chat' }).isVisible(), false);
    await box.waitFor();
  });

  test('nothing moves for those who asked for that', async () => {
    await using room = await enter({ reducedMotion: 'reduce' });
    room.stage.adapter.typing('owner', null, true);
    await room.log.getByText('Working…').waitFor();
    assert.equal(await room.page.evaluate('getComputedStyle(document.querySelector(".dots i")).animationName'), 'none');
  });

  test(`${PAYLOADS.length} attacks are text: as a message, an edit, a card, a chat's and a file's name`, async () => {
    await using room = await enter();
    const { page, stage, log, context } = room;
    const asked: string[] = [];
    context.on('request', (request) => asked.push(request.url()));
    const path = join(stage.folder, 'lent');
    writeFileSync(path, 'x');
    for (const [index, text] of PAYLOADS.entries()) {
      const card = { title: text, body: text, buttons: [{ data: 'y', label: text }] };
      await stage.say(text, { id: `t${index}`, files: [{ name: text, path, size: 1 }] });
      await stage.say(text, { card });
      await stage.say('before', { id: `e${index}` });
      await stage.say(text, { edits: `e${index}` });
      await stage.say(text, { progress: true });
    }
    await stage.say('the last one');
    await log.getByText('the last one').waitFor();
    await page.reload();
    await log.getByText('the last one').waitFor();
    const links = await log.getByRole('link').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
    assert.deepEqual(
      links.filter((href) => !/^(https:\/\/|\/files\/)/.test(href)),
      [],
    );
    const strange =
      'script, iframe, style, object, form, input, svg, img, video, [onerror], [onload], [style], template';
    assert.equal(await page.locator(`#messages :is(${strange})`).count(), 0);
    for (const element of await log.locator('a[target]').all()) {
      assert.match((await element.getAttribute('rel')) ?? '', /noopener/);
    }
    assert.equal(await page.evaluate('window.hit'), undefined);
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(stage.origin)),
      [],
    );
    assert.deepEqual(room.complaints, []);
  });

  test('code can be copied', async () => {
    await using room = await enter({ permissions: ['clipboard-read', 'clipboard-write'] });
    await room.stage.say('```js\nlet a = "<b>";\n```');
    await room.log.getByRole('button', { name: 'Copy' }).click();
    await room.log.getByRole('button', { name: 'Copied' }).waitFor();
    assert.equal(await room.page.evaluate('navigator.clipboard.readText()'), 'let a = "<b>";');
  });

  test('older messages come when they are asked for', async () => {
    await using stage = await startStage();
    for (let n = 1; n <= 70; n++) await stage.say(`message ${n}.`);
    const { page, context } = await visit(browser, stage.link());
    const items = page.locator('#messages > li');
    await until(async () => (await items.count()) === 50);
    await page.getByRole('button', { name: 'Earlier messages' }).click();
    await until(async () => (await items.count()) === 70);
    assert.match((await items.first().textContent()) ?? '', /message 1\./);
    assert.equal(await page.getByRole('button', { name: 'Earlier messages' }).isVisible(), false);
    await context.close();
  });

  test('pictures for the docs', {
    skip: process.env.NANOCLAW_PICTURES !== '1' && 'NANOCLAW_PICTURES=1 makes them.',
  }, async () => {
    mkdirSync(PICTURES, { recursive: true });
    for (const [name, options] of [
      ['light', { colorScheme: 'light', viewport: { width: 1000, height: 640 } }],
      ['dark', { colorScheme: 'dark', viewport: { width: 1000, height: 640 } }],
      ['phone', { ...PHONE, colorScheme: 'light' }],
    ] as const) {
      await using room = await enter({ ...options, reducedMotion: 'reduce' });
      await room.box.fill('How is the garden project going?');
      await room.box.press('Enter');
      await until(() => room.stage.events.length === 1);
      await showOff(room.stage);
      await room.page.getByRole('button', { name: 'Allow' }).waitFor();
      await room.page.screenshot({ path: join(PICTURES, `${name}.png`) });
    }
  });
});
