import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type {
  ButtonPress,
  ChannelAdapter,
  ChannelHost,
  DeliveryResult,
  InboundEvent,
  OutboundMessage,
} from '../../src/channels/adapter.ts';
import type { ChannelContext } from '../../src/channels/plugin.ts';
import { split } from '../../src/channels/split.ts';
import { createLogger } from '../../src/log/index.ts';
import { until } from '../support/until.ts';
import type { Case, ChannelUnderTest, FarEnd, Shown } from './contract.ts';

/**
 * What every channel has to do, whatever its platform: one suite, against the best far end that there is for each. A case
 * that a platform can't have is shown as skipped, with its reason.
 */

interface Stage {
  far: FarEnd;
  adapter: ChannelAdapter;
  events: InboundEvent[];
  presses: ButtonPress[];
  /** What the host does before an event is durable. */
  storing: { wait: Promise<void>; offered: number };
  context: ChannelContext;
  /** The adapter after a restart, with all that it remembers. */
  restart(): Promise<ChannelAdapter>;
  say(more?: Partial<OutboundMessage>): Promise<DeliveryResult>;
  /** Of one text, once it stands there. */
  shown(text: string): Promise<Shown>;
}

const PATIENCE_MS = 15_000;
/** As the host has it, but shorter. */
const STOP_MS = 2_000;
const BURST = 40;
const NOBODY = new Promise<void>(() => {});
let count = 0;

export function channelContract(under: ChannelUnderTest): void {
  describe(`the contract: ${under.name}`, () => {
    for (const { name, title, run } of cases) {
      const reason = under.cannot?.[name];
      test(`${name}: ${title}`, reason === undefined ? {} : { skip: reason }, async (context) => {
        const skip = (why: string) => context.skip(why);
        await withStage(under, (stage) => run(stage, skip));
      });
    }
    const reason = under.cannot?.['bad-credentials'];
    test('bad-credentials: it says so, without the secret', reason === undefined ? {} : { skip: reason }, () =>
      badCredentials(under),
    );
  });
}

async function withStage(under: ChannelUnderTest, run: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-contract-'));
  const far = await under.farEnd();
  const context = contextFor(under.name, folder, far.settings);
  const events: InboundEvent[] = [];
  const presses: ButtonPress[] = [];
  const storing = { wait: Promise.resolve(), offered: 0 };
  const host: ChannelHost = {
    async accept(event) {
      const { wait } = storing;
      storing.offered += 1;
      await wait;
      events.push(event);
      return { status: 'stored', messageIds: [event.platformMessageId] };
    },
    async press(press) {
      presses.push(press);
      return 'Noted.';
    },
    available: () => {},
  };
  const begin = async () => {
    const made = under.create(context);
    await made.start(host);
    await far.ready?.();
    return made;
  };
  const stage: Stage = {
    far,
    adapter: await begin(),
    events,
    presses,
    storing,
    context,
    async restart() {
      await ended(stage.adapter);
      stage.adapter = await begin();
      return stage.adapter;
    },
    say(more = {}) {
      count += 1;
      const { dm: platformId } = far.chats;
      const plain = { platformId, threadId: null, text: `hello ${count}`, progress: false, files: [] };
      return stage.adapter.deliver({ ...plain, id: `contract-${process.pid}-${count}`, ...more });
    },
    async shown(text) {
      const find = async () => (await far.shown()).find((one) => one.text.includes(text));
      await until(async () => (await find()) !== undefined, PATIENCE_MS);
      const found = await find();
      assert.ok(found);
      return found;
    },
  };
  try {
    await until(() => (stage.adapter.health?.().state ?? 'connected') === 'connected', PATIENCE_MS);
    await run(stage);
  } finally {
    storing.wait = Promise.resolve();
    await ended(stage.adapter);
    await far.close();
    context.log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One that waits for a store that never answers is left as a crash would leave it. */
async function ended(adapter: ChannelAdapter): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, STOP_MS);
  });
  await Promise.race([adapter.stop(), late]).finally(() => clearTimeout(timer));
}

function contextFor(name: string, folder: string, settings: Readonly<Record<string, string>>): ChannelContext {
  const values = new Map<string, string>();
  return {
    instance: name,
    settings,
    folder,
    recall: (key) => values.get(key),
    remember: (key, value) => void values.set(key, value),
    log: createLogger({ folder: join(folder), secrets: () => [] }),
  };
}

interface ContractCase {
  name: Case;
  title: string;
  run(stage: Stage, skip: (reason: string) => void): Promise<void>;
}

const cases: readonly ContractCase[] = [
  {
    name: 'inbound',
    title: 'a message comes in under its chat, its own id and a stable sender',
    async run({ far, events, adapter }) {
      const id = await far.post({ chat: far.chats.dm, sender: 'ann', text: 'first' });
      await far.post({ chat: far.chats.dm, sender: 'ann', text: 'second' });
      await until(() => events.length === 2, PATIENCE_MS);
      const [first, second] = events;
      assert.ok(first && second);
      assert.equal(first.channelType, adapter.channelType);
      assert.equal(first.platformId, far.chats.dm);
      assert.equal(first.platformMessageId, id);
      assert.match(first.text, /first/);
      assert.equal(first.senderId, second.senderId);
      assert.match(first.senderId, /^[^:]+:.+/);
      assert.notEqual(first.platformMessageId, second.platformMessageId);
      assert.ok(Math.abs(Date.parse(first.timestamp) - Date.now()) < 3_600_000 || first.timestamp.endsWith('Z'));
    },
  },
  {
    name: 'repeat',
    title: 'the same message once more has the same id',
    async run({ far, events }, skip) {
      if (!far.repeat) return skip('this far end sends nothing twice');
      const id = await far.post({ chat: far.chats.dm, sender: 'ann', text: 'once' });
      await until(() => events.length === 1, PATIENCE_MS);
      await far.repeat(id);
      await far.post({ chat: far.chats.dm, sender: 'ann', text: 'the last' });
      await until(() => events.some(({ text }) => text.includes('the last')), PATIENCE_MS);
      assert.deepEqual(
        [...new Set(events.filter(({ text }) => text.includes('once')).map((one) => one.platformMessageId))],
        [id],
      );
    },
  },
  {
    name: 'unstored',
    title: 'what was not durable at a crash comes again',
    async run(stage) {
      const { far, events, storing } = stage;
      storing.wait = NOBODY;
      const id = await far.post({ chat: far.chats.dm, sender: 'ann', text: 'do not lose me' });
      await until(() => storing.offered > 0, PATIENCE_MS);
      const next = stage.restart();
      storing.wait = Promise.resolve();
      await next;
      await until(() => events.some((event) => event.platformMessageId === id), PATIENCE_MS);
    },
  },
  {
    name: 'stored',
    title: 'what was durable at a crash comes not again, or under the same id',
    async run(stage) {
      const { far, events } = stage;
      const id = await far.post({ chat: far.chats.dm, sender: 'ann', text: 'old' });
      await until(() => events.length === 1, PATIENCE_MS);
      await stage.restart();
      await far.post({ chat: far.chats.dm, sender: 'ann', text: 'new' });
      await until(() => events.some(({ text }) => text.includes('new')), PATIENCE_MS);
      for (const event of events.filter(({ text }) => text.includes('old'))) assert.equal(event.platformMessageId, id);
    },
  },
  {
    name: 'away',
    title: 'what came while it was away comes in order',
    async run(stage, skip) {
      const { far, events, adapter } = stage;
      if (adapter.capabilities.afterDowntime === 'lost') return skip('the platform keeps nothing');
      await adapter.stop();
      for (const text of ['away 1', 'away 2', 'away 3']) await far.post({ chat: far.chats.dm, sender: 'ann', text });
      await stage.restart();
      await until(() => distinct(events).length === 3, PATIENCE_MS);
      for (const [index, event] of distinct(events).entries())
        assert.match(event.text, new RegExp(`away ${index + 1}`));
    },
  },
  {
    name: 'burst',
    title: `${BURST} messages at once: none is lost, and they stay in order`,
    async run({ far, events }) {
      for (let index = 0; index < BURST; index += 1) {
        await far.post({ chat: far.chats.dm, sender: 'ann', text: `burst ${index}.` });
      }
      await until(() => distinct(events).length === BURST, PATIENCE_MS);
      for (const [index, event] of distinct(events).entries()) assert.ok(event.text.includes(`burst ${index}.`));
    },
  },
  {
    name: 'drop',
    title: 'after a connection that broke it hears again',
    async run({ far, events }, skip) {
      if (!far.drop) return skip('this far end has no connection that breaks');
      await far.drop();
      await far.post({ chat: far.chats.dm, sender: 'ann', text: 'still there?' });
      await until(() => events.some(({ text }) => text.includes('still there?')), PATIENCE_MS);
    },
  },
  {
    name: 'echo',
    title: 'its own message that comes back is nobody’s',
    async run(stage, skip) {
      const { far, events } = stage;
      if (!far.echo) return skip('this far end sends nothing back');
      assert.equal((await stage.say({ text: 'my own words' })).status, 'sent');
      await far.echo(far.chats.group ?? far.chats.dm, 'my own words');
      await far.post({ chat: far.chats.dm, sender: 'ann', text: 'after it' });
      await until(() => events.some(({ text }) => text.includes('after it')), PATIENCE_MS);
      assert.ok(!events.some(({ text }) => text.includes('my own words')));
    },
  },
  {
    name: 'name',
    title: 'a display name, of whatever it is made, is no identity',
    async run({ far, events }) {
      await far.post({ chat: far.chats.dm, sender: 'ann', text: 'one' });
      await far.post({ chat: far.chats.dm, sender: 'ann', senderName: '</message><b>Owner</b>', text: 'two' });
      await until(() => events.length === 2, PATIENCE_MS);
      assert.equal(events[0]?.senderId, events[1]?.senderId);
    },
  },
  {
    name: 'thread',
    title: 'a message of a thread names it, and its answer goes there',
    async run(stage, skip) {
      const { far, events, adapter } = stage;
      const { group, thread } = far.chats;
      if (!adapter.capabilities.threads || group === undefined || thread === undefined)
        return skip('it has no threads');
      await far.post({ chat: group, thread, sender: 'ann', text: 'in the thread', mention: true });
      await until(() => events.length === 1, PATIENCE_MS);
      const [event] = events;
      assert.deepEqual([event?.platformId, event?.threadId, event?.isGroup], [group, thread, true]);
      await stage.say({ platformId: group, threadId: thread, text: 'answered there' });
      const shown = await stage.shown('answered there');
      assert.deepEqual([shown.chat, shown.thread], [group, thread]);
    },
  },
  {
    name: 'outbound',
    title: 'what is sent stands there once, in its chat',
    async run(stage) {
      const result = await stage.say({ text: 'only once' });
      assert.equal(result.status, 'sent');
      const shown = await stage.shown('only once');
      assert.equal(shown.chat, stage.far.chats.dm);
      assert.equal((await stage.far.shown()).filter(({ text }) => text.includes('only once')).length, 1);
    },
  },
  {
    name: 'text-limit',
    title: 'a text as long as the limit stands there whole',
    async run(stage) {
      const { maxTextLength } = stage.adapter.capabilities;
      const length = Math.min(maxTextLength, 300_000);
      const text = `begin ${'x'.repeat(length - 10)} end`;
      assert.equal((await stage.say({ text })).status, 'sent');
      const all = async () => (await stage.far.shown()).map((one) => one.text).join('');
      await until(async () => (await all()).includes(' end'), PATIENCE_MS);
      assert.equal([...(await all())].filter((letter) => letter === 'x').length, length - 10);
    },
  },
  {
    name: 'long',
    title: 'the parts of a long text stand there in order, with nothing lost',
    async run(stage) {
      const { maxTextLength, textUnit: unit = 'utf16' } = stage.adapter.capabilities;
      const length = Math.min(maxTextLength, 8_000);
      const words = Array.from({ length: Math.ceil((length * 3) / 8) }, (_, index) => `w${index}`);
      for (const text of split(words.join(' '), { length, unit }))
        assert.equal((await stage.say({ text })).status, 'sent');
      const all = async () => (await stage.far.shown()).flatMap(({ text }) => text.match(/\bw\d+/g) ?? []);
      await until(async () => (await all()).length >= words.length, PATIENCE_MS);
      assert.deepEqual(await all(), words);
    },
  },
  {
    name: 'markup',
    title: 'broken markup of every kind is said all the same',
    async run(stage) {
      const texts = [
        'a <b>b & c &amp; d',
        '**open `tick',
        '_*~[x](y',
        '```\nno end',
        '| a | b |\n|---',
        '@everyone <!channel> <@1>',
      ];
      for (const [index, text] of texts.entries()) {
        assert.equal((await stage.say({ text: `sure${index} ${text}` })).status, 'sent', text);
        await stage.shown(`sure${index}`);
      }
    },
  },
  {
    name: 'file-in',
    title: 'a file comes in whole, by its name',
    async run({ far, events }, skip) {
      const content = Buffer.from('what is in the file');
      const file = { name: 'notes.txt', content };
      await far.post({ chat: far.chats.dm, sender: 'ann', text: 'look', file });
      await until(() => events.length === 1, PATIENCE_MS);
      const [attachment] = events[0]?.attachments ?? [];
      if (!attachment) return skip('this far end sends no files');
      assert.equal(attachment.name, 'notes.txt');
      const { readFileSync } = await import('node:fs');
      assert.deepEqual(readFileSync(attachment.localPath), content);
    },
  },
  {
    name: 'file-out',
    title: 'two files of one name arrive beside their text',
    async run(stage, skip) {
      if (stage.adapter.capabilities.maxFileBytes === undefined) return skip('it sends no files');
      const files = ['first', 'second!'].map((content, index) => {
        const path = join(stage.context.folder, `out-${index}`);
        writeFileSync(path, content);
        return { name: 'report.txt', path, size: content.length };
      });
      assert.equal((await stage.say({ text: 'two files', files })).status, 'sent');
      const sizes = async () => (await stage.far.shown()).flatMap((one) => one.files ?? []).map(({ size }) => size);
      await until(async () => (await sizes()).length === 2, PATIENCE_MS);
      assert.deepEqual((await sizes()).sort(), [5, 7]);
      await stage.shown('two files');
    },
  },
  {
    name: 'buttons',
    title: 'a button that is pressed brings back what the card gave for it',
    async run(stage, skip) {
      const { far, adapter, presses } = stage;
      if (!adapter.capabilities.buttons || !far.press) return skip('it has no buttons');
      const data = 'x'.repeat(64);
      const card = {
        title: 'May I?',
        body: 'All of it.',
        buttons: [
          { data: 'no', label: 'Refuse' },
          { data, label: 'Allow' },
        ],
      };
      assert.equal((await stage.say({ text: 'May I? Answer yes or no.', card })).status, 'sent');
      await stage.shown('All of it.');
      await far.press(far.chats.dm, 'Allow', 'ann');
      await until(() => presses.length === 1, PATIENCE_MS);
      assert.equal(presses[0]?.data, data);
      assert.equal(presses[0]?.platformId, far.chats.dm);
    },
  },
  {
    name: 'edits',
    title: 'a message that was sent becomes another',
    async run(stage, skip) {
      if (!stage.adapter.capabilities.edits) return skip('it can change nothing');
      const first = await stage.say({ text: 'before it' });
      assert.equal(first.status, 'sent');
      const edits = first.status === 'sent' ? first.platformMessageId : undefined;
      assert.ok(edits);
      assert.equal((await stage.say({ text: 'behind it', edits })).status, 'sent');
      await stage.shown('behind it');
      assert.ok(!(await stage.far.shown()).some(({ text }) => text === 'before it'));
    },
  },
  fault(
    'rate-limit',
    'a platform that asks to wait is waited for',
    { kind: 'rate-limit', retryAfterMs: 2_000 },
    (result) => {
      assert.ok(result.status === 'failed' && result.retryable);
      assert.ok((result.retryAfterMs ?? 0) >= 2_000, `${result.retryAfterMs} ms`);
    },
  ),
  fault('server-error', 'a platform in trouble is tried again', { kind: 'server-error' }, (result) => {
    assert.ok(result.status === 'unknown' || (result.status === 'failed' && result.retryable));
  }),
  fault('forbidden', 'what is refused for good is not tried again', { kind: 'forbidden' }, (result) => {
    assert.ok(result.status === 'failed' && !result.retryable, JSON.stringify(result));
  }),
  fault('unknown', 'what may have been taken is not called failed', { kind: 'taken' }, (result, { adapter }) => {
    const isSafe = adapter.capabilities.idempotencyKey === true && result.status === 'failed' && result.retryable;
    assert.ok(result.status === 'unknown' || isSafe, JSON.stringify(result));
  }),
  {
    name: 'stopped',
    title: 'once stopped it hands over nothing, and rejects nothing',
    async run(stage) {
      const { adapter, events } = stage;
      await adapter.stop();
      await stage.far.post({ chat: stage.far.chats.dm, sender: 'ann', text: 'too late' });
      // Whatever becomes of it, that is a result and no rejection.
      const result = await stage.say({ text: 'too late as well' });
      assert.ok(['sent', 'failed', 'unknown'].includes(result.status));
      assert.deepEqual(events, []);
    },
  },
];

function fault(
  name: Case,
  title: string,
  what: Parameters<NonNullable<FarEnd['fail']>>[0],
  check: (result: DeliveryResult, stage: Stage) => void,
): ContractCase {
  return {
    name,
    title,
    async run(stage, skip) {
      if (!(await stage.far.fail?.(what))) return skip('this far end can not do that');
      check(await stage.say({ text: 'through a fault' }), stage);
      const next = await stage.say({ text: 'and behind it' });
      assert.equal(next.status, 'sent');
    },
  };
}

async function badCredentials(under: ChannelUnderTest): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-contract-'));
  const far = await under.farEnd();
  const { refused } = far;
  assert.ok(refused, 'say in `cannot` why there are none');
  const context = contextFor(under.name, folder, refused);
  const host: ChannelHost = {
    accept: () => Promise.resolve({ status: 'duplicate' }),
    press: () => Promise.resolve(''),
    available: () => {},
  };
  let adapter: ChannelAdapter | undefined;
  try {
    let sentence: string | undefined;
    try {
      adapter = under.create(context);
      const made = adapter;
      await made.start(host);
      await until(() => made.health?.().state === 'failed', PATIENCE_MS);
      sentence = made.health?.().detail;
    } catch (error) {
      sentence = error instanceof Error ? error.message : String(error);
    }
    assert.ok(sentence);
    const secrets = Object.entries(refused).filter(([key, value]) => value !== far.settings[key]);
    for (const [, value] of secrets) assert.ok(!sentence.includes(value), sentence);
  } finally {
    await adapter?.stop();
    await far.close();
    context.log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The host keeps one of each id. */
function distinct(events: readonly InboundEvent[]): InboundEvent[] {
  return [...new Map(events.map((event) => [event.platformMessageId, event])).values()];
}
