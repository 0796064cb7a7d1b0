import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type {
  Acceptance,
  ButtonPress,
  ChannelAdapter,
  ChannelHost,
  DeliveryResult,
  InboundEvent,
  OutboundMessage,
} from '../../../src/channels/adapter.ts';
import type { ChannelContext } from '../../../src/channels/plugin.ts';
import { createLogger } from '../../../src/log/index.ts';
import { scratchFolder } from '../../../test/support/scratch.ts';
import { createWeb } from '../adapter.ts';
import { createLoginLink } from '../index.ts';
import { readSettings } from '../settings.ts';

/** The web channel with the host's part in the test's hands. */

export interface Stage extends AsyncDisposable {
  adapter: ChannelAdapter;
  context: ChannelContext;
  folder: string;
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** What was accepted, oldest first. */
  events: InboundEvent[];
  /** Contents of the attachments, as they were when they were handed over. */
  contents: string[];
  presses: ButtonPress[];
  /** What the host does with the next events. */
  answer: (event: InboundEvent) => Acceptance | Promise<Acceptance>;
  pressed: (press: ButtonPress) => string;
  link(user?: string): string;
  say(text: string, more?: Partial<OutboundMessage>): Promise<DeliveryResult>;
  stop(): Promise<void>;
}

export interface StageOptions {
  folder?: string;
  settings?: Readonly<Record<string, string>>;
  keep?: boolean;
  /** How long a body may take, in ms. */
  bodyMs?: number;
}

let count = 0;

export async function startStage({
  folder: given,
  settings = { PORT: '0' },
  keep,
  bodyMs,
}: StageOptions = {}): Promise<Stage> {
  const folder = given ?? scratchFolder('nanoclaw-web-');
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const log = createLogger({ folder: join(folder, 'logs'), secrets: () => [] });
  const values = new Map<string, string>();
  const context: ChannelContext = {
    instance: 'web',
    settings,
    folder,
    recall: (key) => values.get(key),
    remember: (key, value) => void values.set(key, value),
    log,
  };
  const adapter = createWeb(context, { ...readSettings(settings), ...(bodyMs && { bodyMs }) });
  const seen = new Set<string>();
  const stage: Stage = {
    adapter,
    context,
    folder,
    origin: '',
    events: [],
    contents: [],
    presses: [],
    answer: () => ({ status: 'stored', messageIds: ['m'] }),
    pressed: () => 'Allowed.',
    link: (user) => createLoginLink({ folder }, user),
    say(text, more = {}) {
      count += 1;
      const base = { id: `out-${count}`, platformId: 'owner', threadId: null, progress: false, files: [] };
      return adapter.deliver({ ...base, text, ...more });
    },
    stop: () => adapter.stop(),
    async [Symbol.asyncDispose]() {
      await adapter.stop();
      log.close();
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
  const host: ChannelHost = {
    async accept(event) {
      const key = `${event.platformId}\n${event.platformMessageId}`;
      if (seen.has(key)) return { status: 'duplicate' };
      const acceptance = await stage.answer(event);
      if (acceptance.status !== 'refused') seen.add(key);
      stage.events.push(event);
      for (const file of event.attachments ?? []) stage.contents.push(readFileSync(file.localPath, 'latin1'));
      return acceptance;
    },
    async press(press) {
      stage.presses.push(press);
      return stage.pressed(press);
    },
    available() {},
  };
  await adapter.start(host);
  stage.origin = new URL(stage.link()).origin;
  return stage;
}
