import type { Log } from '../src/log.ts';
import { Loop } from '../src/loop.ts';
import { InboundReader } from '../src/mailbox/inbound.ts';
import { Outbound } from '../src/mailbox/outbound.ts';
import { sendFileTool } from '../src/tools/send-file.ts';
import { sendMessageTool } from '../src/tools/send-message.ts';
import { config, HostStandIn, type StandInOptions } from './host.ts';
import { ScriptedProvider } from './scripted.ts';

/** A loop within the test's own process, with a scripted provider, on real files. */
export class Running {
  readonly host: HostStandIn;
  readonly provider: ScriptedProvider;
  readonly lines: { level: string; event: string; fields?: Record<string, unknown> }[] = [];
  tools: { message: ReturnType<typeof sendMessageTool>; file: ReturnType<typeof sendFileTool> } | null = null;
  #loop: Loop | null = null;
  #done: Promise<void> = Promise.resolve();
  #outbound: Outbound | null = null;
  readonly #max: number;

  constructor(options: StandInOptions & { reportsById?: boolean } = {}) {
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
    const look = () => loop.situation();
    this.tools = {
      message: sendMessageTool(outbound, paths.outbox, look),
      file: sendFileTool(outbound, { cwd: paths.agent, outbox: paths.outbox }, look),
    };
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
