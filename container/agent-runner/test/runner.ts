import type { Log } from '../src/log.ts';
import { Loop } from '../src/loop.ts';
import { InboundReader } from '../src/mailbox/inbound.ts';
import { Outbound } from '../src/mailbox/outbound.ts';
import { createTools } from '../src/tools/index.ts';
import type { Tool } from '../src/tools/tool.ts';
import { config, HostStandIn, type StandInOptions } from './host.ts';
import { ScriptedProvider } from './scripted.ts';

type List = ReturnType<typeof createTools>;
export interface Tools {
  message: List[0];
  file: List[1];
  edit: List[2];
  react: List[3];
  card: List[4];
  ask: List[5];
  history: List[6];
  /** Those of tasks. */
  tasks: readonly Tool[];
}

/** A loop within the test's own process, with a scripted provider, on real files. */
export class Running {
  readonly host: HostStandIn;
  readonly provider: ScriptedProvider;
  readonly lines: { level: string; event: string; fields?: Record<string, unknown> }[] = [];
  tools: Tools | null = null;
  #loop: Loop | null = null;
  #done: Promise<void> = Promise.resolve();
  #outbound: Outbound | null = null;
  readonly #max: number;
  readonly #patienceMs: number;

  constructor(options: StandInOptions & { reportsById?: boolean; patienceMs?: number } = {}) {
    this.#patienceMs = options.patienceMs ?? 0;
    this.host = new HostStandIn({ provider: 'scripted', ...options });
    this.provider = new ScriptedProvider(options.reportsById ?? true);
    this.#max = options.max ?? 10;
  }

  start(): void {
    const log: Log = (level, event, fields = {}) => this.lines.push({ level, event, fields });
    const { paths } = this.host;
    const inbound = new InboundReader(paths.inboundDb, log);
    const outbound = new Outbound(paths.outboundDb, () => inbound.highestSeq);
    const loop = new Loop({ paths, config: config('scripted', this.#max), inbound, outbound, log });
    const kit = { outbound, outbox: paths.outbox, cwd: paths.agent, look: () => loop.situation() };
    const [message, file, edit, react, card, ask, history, ...tasks] = createTools(kit, this.#patienceMs);
    this.tools = { message, file, edit, react, card, ask, history, tasks };
    this.#loop = loop;
    this.#outbound = outbound;
    this.#done = loop.run(this.provider);
  }

  async stop(): Promise<void> {
    this.#loop?.shutdown();
    await this.#done;
    this.#outbound?.close();
    this.#outbound = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.host[Symbol.dispose]();
  }
}
