import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { HostStandIn } from './host.ts';

const ENTRY = join(import.meta.dirname, '../src/index.ts');

/** The runner as a process of its own, without a sandbox around it. */
export class RunnerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  output = '';

  constructor(host: HostStandIn) {
    this.child = spawn(process.execPath, [ENTRY, host.root], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = once(this.child, 'exit');
    const take = (chunk: Buffer) => {
      this.output += chunk.toString('utf8');
    };
    this.child.stdout?.on('data', take);
    this.child.stderr?.on('data', take);
  }

  /** The fields of the first line about this event. */
  line(event: string): Record<string, unknown> | undefined {
    for (const line of this.output.split('\n').slice(0, -1)) {
      const fields: unknown = JSON.parse(line);
      if (typeof fields === 'object' && fields !== null && 'event' in fields && fields.event === event)
        return { ...fields };
    }
    return undefined;
  }

  async end(signal: NodeJS.Signals): Promise<unknown> {
    this.child.kill(signal);
    const [code, by] = await this.exited;
    return code ?? by;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL');
  }
}
