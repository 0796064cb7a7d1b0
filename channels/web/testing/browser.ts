import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export type { Browser } from 'playwright-core';

import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** A real browser, where this machine has one. */

const PATH = process.env.NANOCLAW_CHROMIUM ?? '/usr/bin/chromium';

/** Why it can't be used; false: it can. */
export const noBrowser: string | false = existsSync(PATH) ? false : `There is no ${PATH}.`;

export function openBrowser(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({ executablePath: PATH, args: isRoot ? ['--no-sandbox'] : [] });
}

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** What the page complained about: uncaught errors, and everything that its own policy refused. */
  complaints: string[];
}

/** A browser of its own: nobody's cookies. */
export async function visit(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/content security policy|trusted type/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(address);
  return { page, context, complaints };
}

/** What axe has to say against the page as it is now. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const found: unknown = await page.evaluate(
    "axe.run().then((run) => run.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))",
  );
  return Array.isArray(found) ? found.map(String) : ['axe did not answer'];
}
