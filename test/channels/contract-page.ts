import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BAD_INPUT, FIFTY, type Known } from './fifty.ts';

/** docs/channels/contract.md: which test notices what, and which channel can't have which case. */

export const PAGE = 'docs/channels/contract.md';
export const SKIPPED = 'test/channels/skipped.json';

export const Skipped = z.array(z.object({ channel: z.string(), name: z.string(), reason: z.string() }));
export type Skipped = z.infer<typeof Skipped>;

export function contractPage(root: string): string {
  const skipped = Skipped.parse(JSON.parse(readFileSync(join(root, SKIPPED), 'utf8')));
  const channels = [...new Set(skipped.map(({ channel }) => channel))].sort();
  return `# What every channel is asked

One suite, \`test/channels/suite.ts\`, is run on each adapter against the best far end that there is for it (the row *Proof* in the
[table of channels](README.md#what-each-can-do)). Its cases come from what went wrong with channels elsewhere. What can not be
asked of an adapter alone is asked of the host, or of one channel; the tables say where. A case that a platform can't have is shown
as skipped, with its reason.

${'`'}bash setup/run.sh node test/channels/write-contract.ts${'`'} runs the suite on all of them, and writes this page.

## Fifty that bit others

${tableOf(FIFTY)}

## Bad input

${tableOf(BAD_INPUT)}

## What a channel is not asked

${channels.map((channel) => sectionOf(channel, skipped)).join('\n\n')}
`;
}

function tableOf(rows: readonly Known[]): string {
  const lines = rows.map(({ what, cases = [], also = [], note }, index) => {
    const suite = cases.map((name) => `\`${name}\``).join(', ');
    const files = [...new Set(also.map(([file]) => file))].map(
      (file) => `[${file.split('/').slice(-2).join('/')}](../../${file})`,
    );
    return `| ${index + 1} | ${what} | ${suite} | ${[...files, ...(note === undefined ? [] : [note])].join(', ')} |`;
  });
  return ['|  | What | Asked of each adapter | And here |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

/** Cases with one reason stand together. */
function sectionOf(channel: string, skipped: Skipped): string {
  const own = skipped.filter((one) => one.channel === channel);
  const reasons = [...new Set(own.map(({ reason }) => reason))];
  const lines = reasons.map((reason) => {
    const names = own.filter((one) => one.reason === reason).map(({ name }) => `\`${name}\``);
    return `- ${names.join(', ')}: ${reason}`;
  });
  return [`**${channel}**`, '', ...lines].join('\n');
}

/** Tests that the tables name, and that are not there. */
export function missingTests(root: string): string[] {
  return [...FIFTY, ...BAD_INPUT]
    .flatMap(({ also = [] }) => also)
    .filter(([file, name]) => {
      const path = join(root, file);
      return !existsSync(path) || !readFileSync(path, 'utf8').includes(name);
    })
    .map(([file, name]) => `${file}: ${name}`);
}
