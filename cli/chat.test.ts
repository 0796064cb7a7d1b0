import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createTerminals } from '../channels/terminal/index.ts';
import type {
  Acceptance,
  ButtonPress,
  ChannelAdapter,
  InboundEvent,
  OutboundMessage,
} from '../src/channels/adapter.ts';
import { createLogger, type Logger } from '../src/log/index.ts';
import { until } from '../test/support/until.ts';
import { type Checkout, makeCheckout } from './testing/checkout.ts';

/** `ncl chat` as anybody, anywhere, with cards, against a real terminal channel whose host is played here. */
describe('ncl chat', () => {
  let checkout: Checkout;
  let log: Logger;
  let adapters: readonly ChannelAdapter[];
  let events: InboundEvent[];
  let presses: ButtonPress[];
  let count = 0;
  /** What comes as soon as somebody looks. */
  let waiting: (() => Promise<void>) | undefined;

  before(async () => {
    checkout = makeCheckout();
    log = createLogger({ folder: join(checkout.root, 'logs'), secrets: () => [] });
    const socketPath = join(checkout.root, 'data/cli.sock');
    adapters = createTerminals({ socketPath, log, env: { NANOCLAW_TERMINALS: '2' } });
    const accept = async (event: InboundEvent): Promise<Acceptance> => {
      events.push(event);
      if (event.text === 'let me in') return { status: 'held' };
      setImmediate(() => void answer(event));
      return { status: 'stored', messageIds: ['msg-1'] };
    };
    const press = async (press: ButtonPress, refused?: () => void): Promise<string> => {
      presses.push(press);
      if (press.senderId.endsWith(':eve')) {
        refused?.();
        return 'Not for you.';
      }
      const { platformMessageId: edits = '', threadId } = press;
      await say(press, { threadId, text: `Bob, ask\nHe wants in.\n\nChosen: ${press.data}`, edits });
      return `You chose ${press.data}.`;
    };
    for (const adapter of adapters)
      await adapter.start({ accept, press, available: () => setImmediate(() => void waiting?.()) });
  });
  after(async () => {
    for (const adapter of adapters) await adapter.stop();
    log.close();
    await checkout.remove();
  });
  beforeEach(() => {
    events = [];
    presses = [];
  });

  async function say(at: { channelType: string; platformId: string }, message: Partial<OutboundMessage>) {
    count += 1;
    const { platformId, channelType } = at;
    const whole = { id: `out-${count}`, platformId, threadId: null, text: '', progress: false, files: [], ...message };
    const adapter = adapters.find((one) => one.channelType === channelType);
    assert.equal((await adapter?.deliver(whole))?.status, 'sent');
  }

  async function answer(event: InboundEvent): Promise<void> {
    const { threadId, text, platformId, platformMessageId, channelType } = event;
    await say(event, { threadId: 'another', text: 'in another thread' });
    if (text === 'late') await say(event, { text: 'an answer of before', inReplyTo: 'msg-0' });
    if (text.startsWith('ask')) {
      const buttons = ['Allow', 'Deny'].map((label) => ({ data: `${text}/${label}`, label }));
      await say(event, { text: 'Bob? /approve', card: { title: `Bob, ${text}`, body: 'He wants in.', buttons } });
    }
    await say(event, { threadId, text: `heard: ${text}`, inReplyTo: 'msg-1' });
    const adapter = adapters.find((one) => one.channelType === channelType);
    adapter?.settled?.(platformId, platformMessageId, 'reply');
  }

  test('speaks as anybody, in any chat, thread and channel', async () => {
    const { stdout, status } = await checkout.ncl(
      'chat hello --as ann --in family --thread t1 --channel terminal-2'.split(' '),
    );
    assert.deepEqual([status, stdout], [0, 'heard: hello\n']);
    const [event] = events;
    assert.ok(event);
    const { channelType, platformId, threadId, senderId } = event;
    assert.deepEqual(
      { channelType, platformId, threadId, senderId },
      { channelType: 'terminal-2', platformId: 'family', threadId: 't1', senderId: 'terminal-2:ann' },
    );
    await checkout.ncl(['chat', 'hello', '--as', 'ann']);
    assert.equal(events[1]?.platformId, 'dm-ann', 'alone with the agent, unless another chat is named');
  });

  test('what else was said there, and may have waited for us, is shown on stderr', async () => {
    const { stdout, stderr } = await checkout.ncl(['chat', 'late', '--in', 'family']);
    assert.equal(stdout, 'heard: late\n');
    assert.match(stderr, /Also said there:\n\[another\] in another thread\nan answer of before\n$/);
  });

  const wrong: [args: string[], status: number, sentence: RegExp][] = [
    [['--as', 'a b'], 2, /called by 1 to 64 letters/],
    [['--in', '*'], 2, /called by 1 to 64 letters/],
    [['--thread', ''], 2, /called by 1 to 64 letters/],
    [['--press', '1'], 2, /Either a message or --press/],
    [['--file', ''], 2, /--file needs the name of a file/],
    [['--file', 'nowhere.txt'], 2, /There is no file \/.*\/nowhere\.txt\./],
    [['--file', '.'], 2, /is not a file/],
    [['-la'], 2, /There is no option -l\. Words with a dash need quotes.*`ncl help chat`/],
    [['--channel', 'terminal-3'], 1, /There is no channel terminal-3/],
  ];
  for (const [args, expected, sentence] of wrong) {
    test(`${args.join(' ')} is refused in one sentence`, async () => {
      const { status, stdout, stderr } = await checkout.ncl(['chat', 'hello', ...args]);
      assert.match(stderr, sentence);
      assert.deepEqual([status, stdout, stderr.trimEnd().split('\n').length, events.length], [expected, '', 1, 0]);
    });
  }

  test('what is kept until somebody decides is said kindly, and nobody waits for it', async () => {
    const { status, stdout, stderr } = await checkout.ncl(['chat', 'let me in', '--as', 'bob']);
    assert.deepEqual([status, stdout], [0, '']);
    assert.match(stderr, /^Your message is kept: somebody who may decide has been asked/);
  });

  test('a card is shown with its options, and one is pressed by its number', async () => {
    const asked = await checkout.ncl(['chat', 'ask one', '--in', 'cards']);
    assert.equal(asked.stdout, 'heard: ask one\n');
    assert.match(asked.stderr, /Bob, ask one\nHe wants in\.\n {2}\[1\] Allow\n {2}\[2\] Deny\nChoose by its number/);
    const none = await checkout.ncl(['chat', '--press', '3', '--in', 'cards']);
    assert.match(none.stderr, /No open card here has that option/);
    const pressed = await checkout.ncl(['chat', '--press', '2', '--in', 'cards', '--as', 'ann']);
    assert.equal(pressed.stdout, 'You chose ask one/Deny.\n');
    assert.match(pressed.stderr, /^Pressing \[2\] Deny, of: Bob, ask one$/m);
    assert.deepEqual([presses[0]?.senderId, presses[0]?.platformId], ['terminal:ann', 'cards']);
    const again = await checkout.ncl(['chat', '--press', '2', '--in', 'cards']);
    assert.match(again.stderr, /No open card/, 'it has been decided');
    assert.equal(presses.length, 1);
  });

  test('a press that was refused says so, and its status', async () => {
    await checkout.ncl(['chat', 'ask eve', '--in', 'eves']);
    const { status, stdout, stderr } = await checkout.ncl(['chat', '--press', '1', '--in', 'eves', '--as', 'eve']);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^Pressing \[1\] Allow, of: Bob, ask eve\nRefused: Not for you\.\n$/);
  });

  test('a card that comes only now, since nobody looked before, is the newest', async () => {
    const buttons = [{ data: 'a', label: 'Allow' }];
    const card = (title: string) => ({ text: title, card: { title, body: '', buttons } });
    const at = { channelType: 'terminal', platformId: 'late' };
    waiting = async () => {
      waiting = undefined;
      await say(at, card('Hal'));
      await say(at, card('Ida'));
    };
    const { stderr } = await checkout.ncl(['chat', '--press', '1', '--in', 'late']);
    assert.match(stderr, /^Pressing \[1\] Allow, of: Ida\n/);
  });

  test('!1 is no message', async () => {
    const { status, stderr } = await checkout.ncl(['chat', '!1']);
    assert.deepEqual([status, events.length], [2, 0]);
    assert.match(stderr, /here it is --press 1\./);
  });

  test('files are found from the folder of whoever sends them', async () => {
    mkdirSync(join(checkout.root, 'f'));
    for (const name of ['a.txt', 'b.txt']) writeFileSync(join(checkout.root, 'f', name), name);
    const sent = await checkout.ncl(['chat', 'two', '--file', 'f/a.txt', '--file=f/b.txt'], { cwd: checkout.root });
    assert.equal(sent.stdout, 'heard: two\n');
    assert.deepEqual(
      events[0]?.attachments?.map(({ name }) => name),
      ['a.txt', 'b.txt'],
    );
  });

  test('/quit leaves a conversation', async () => {
    const { child, run } = checkout.begin(['chat', '--in', 'left']);
    child.stdin?.write('/quit\n');
    assert.equal((await run).status, 0);
    assert.equal(events.length, 0);
  });

  test('in a conversation !1 chooses an option of the newest card', async () => {
    const { child, run } = checkout.begin(['chat', '--in', 'room']);
    let seen = '';
    child.stdout?.on('data', (text) => {
      seen += text;
    });
    child.stderr?.on('data', (text) => {
      seen += text;
    });
    child.stdin?.write('!1\n');
    await until(() => seen.includes('No open card here has that option'));
    child.stdin?.write('ask first\n');
    await until(() => seen.includes('heard: ask first'));
    child.stdin?.write('ask second\n');
    await until(() => seen.includes('heard: ask second'));
    child.stdin?.write('!2\n');
    await until(() => seen.includes('You chose ask second/Deny.'));
    child.stdin?.end('!1\n');
    assert.equal((await run).status, 0);
    assert.match(
      seen,
      /\[changed\] Bob, ask second: Bob, ask\nChosen: ask second\/Deny[\s\S]*You chose ask first\/Allow\./,
    );
    assert.match(seen, /\[another\] in another thread/);
    assert.deepEqual(
      presses.map(({ data }) => data),
      ['ask second/Deny', 'ask first/Allow'],
    );
  });
});
