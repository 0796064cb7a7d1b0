import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Available, listAvailable } from '../../cli/channels/packages.ts';
import type { ChannelCapabilities } from '../../src/channels/adapter.ts';
import { loadPlugin } from '../../src/channels/load.ts';
import { createLogger } from '../../src/log/index.ts';

/** What is written from the channels themselves: the table of docs/channels/README.md, and a skill for each of them. */

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const README = 'docs/channels/README.md';
const [BEGIN, END] = ['<!-- begin: written by test/channels/write-docs.ts -->', '<!-- end -->'];

/** Of accounts that are never started. */
const SAMPLES: Readonly<Record<string, string>> = {
  TOKEN: `12345678:${'a'.repeat(35)}`,
  BOT_TOKEN: `xoxb-${'1'.repeat(20)}`,
  APP_TOKEN: `xapp-${'1'.repeat(20)}`,
  ADDRESS: 'bot@example.org',
  PASSWORD: 'password',
  IMAP_HOST: 'imap.example.org',
  SMTP_HOST: 'smtp.example.org',
  SECRET: `whsec_${Buffer.alloc(32).toString('base64')}`,
};

export interface Page {
  path: string;
  text: string;
}

/** As they have to be, by path from the root. */
export async function pages(): Promise<Page[]> {
  const found = await listAvailable(root);
  const readme = readFileSync(join(root, README), 'utf8');
  const [head, tail] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
  const table = tableOf(await Promise.all(found.map(async (one) => [one, await capabilitiesOf(one)] as const)));
  const text = `${readme.slice(0, head)}\n\n${table}\n\n${readme.slice(tail)}`;
  return [{ path: README, text }, ...found.map(skillFor)];
}

async function capabilitiesOf({ manifest, folder }: Available): Promise<ChannelCapabilities> {
  const plugin = await loadPlugin(folder, manifest.name);
  const own = mkdtempSync(join(tmpdir(), 'nanoclaw-docs-'));
  const log = createLogger({ folder: own, secrets: () => [] });
  const values = new Map<string, string>();
  const defaults = manifest.settings.flatMap((one) => (one.default === undefined ? [] : [[one.name, one.default]]));
  const door = { serve: () => Promise.reject(new Error('closed')), url: () => 'https://example.org/webhook/x' };
  try {
    return plugin.create({
      instance: manifest.name,
      settings: { ...Object.fromEntries(defaults), ...SAMPLES },
      folder: own,
      recall: (key) => values.get(key),
      remember: (key, value) => void values.set(key, value),
      web: door,
      log,
    }).capabilities;
  } finally {
    log.close();
    rmSync(own, { recursive: true, force: true });
  }
}

type Row = readonly [Available, ChannelCapabilities];

function tableOf(rows: readonly Row[]): string {
  const features: [string, (one: ChannelCapabilities, available: Available) => string][] = [
    ['Downloads', (_one, { manifest }) => (manifest.downloadMb === 0 ? 'nothing' : `${manifest.downloadMb} MB`)],
    ['Threads', (one) => yes(one.threads)],
    ['Buttons', (one) => (one.buttons ? 'yes' : 'as words to answer by')],
    ['Messages that change', (one) => yes(one.edits)],
    ['Reactions', (one) => yes(one.reactions ?? false)],
    ['Files', (one) => (one.maxFileBytes === undefined ? 'no' : `to ${Math.floor(one.maxFileBytes / 1e6)} MB`)],
    ['Longest message', (one) => `${one.maxTextLength} ${one.textUnit === 'bytes' ? 'bytes' : 'characters'}`],
    ['What came while it was away', (one) => AWAY[one.afterDowntime ?? 'lost']],
    ['Sent twice after a crash', (one) => (one.idempotencyKey ? 'never' : 'once, marked “(possibly a repeat)”')],
    ['Proof', (_one, { manifest }) => manifest.proof],
  ];
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(['', ...rows.map(([{ manifest }]) => manifest.title)]),
    line(['---', ...rows.map(() => '---')]),
    ...features.map(([name, of]) => line([name, ...rows.map(([available, one]) => of(one, available))])),
  ].join('\n');
}

const AWAY = { redelivers: 'is sent again by the platform', backfill: 'is fetched', lost: 'is lost' } as const;

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}

function skillFor({ manifest }: Available): Page {
  const { name, title, summary, settings, downloadMb } = manifest;
  const asked = settings.filter((one) => one.required && one.default === undefined);
  const steps = asked.flatMap((one) => [
    `### ${one.label} (${one.name})`,
    '',
    ...one.steps.map((step, index) => `${index + 1}. ${step}`),
    '',
  ]);
  const optional = settings.filter((one) => !asked.includes(one));
  const text = [
    '---',
    `name: add-${name}`,
    `description: Connect ${title} to this install of NanoClaw. ${summary}`,
    '---',
    '',
    `# Add ${title}`,
    '',
    summary,
    downloadMb === 0 ? 'Nothing is downloaded.' : `About ${downloadMb} MB are downloaded.`,
    'No tracked file changes.',
    '',
    '## What the person has to get',
    '',
    ...(steps.length === 0 ? ['Nothing.', ''] : steps),
    ...(optional.length === 0
      ? []
      : ['## What may be set besides', '', ...optional.map((one) => `- ${one.name}: ${one.label}`), '']),
    '## Then',
    '',
    `1. Let the person run \`ncl channels add ${name}\` in their own terminal: it asks for what is secret without showing it, and then says how they come in, by a link or by a code that they send. Never ask for a secret in this conversation.`,
    `2. \`ncl channels test ${name}\` says whether it works, and as whom.`,
    `3. \`ncl channels pair ${name}\`, again in their own terminal, makes another code or link, where people come in.`,
    `4. \`ncl channels chats ${name}\` lists the chats; somebody may have to write there first.`,
    `5. \`ncl channels wire ${name} <chat>\` lets the agent listen in another one.`,
    '',
    `Where it does not go on, \`ncl channels list\` has the reason, and docs/channels/${name}.md the details.`,
    '',
  ].join('\n');
  return { path: `.claude/skills/add-${name}/SKILL.md`, text };
}

if (import.meta.main) {
  for (const { path, text } of await pages()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
