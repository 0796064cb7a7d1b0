import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DriverName } from '../drivers/names.ts';
import { startHost, type Terminal, type TestHost } from '../test/support/host-process.ts';
import { killSandbox } from '../test/support/sandbox-search.ts';
import { until } from '../test/support/until.ts';
import { distribution, type Row } from './report.ts';

const now = () => performance.timeOrigin + performance.now();

interface Hop {
  /** Sent by the client → the provider has the prompt. */
  toProvider: number;
  /** The runner writes the result (its row's time, to the millisecond) → the client has the message. */
  toClient: number;
  /** The provider has the prompt → the client has the message, with all that the runner does in between. */
  answered: number;
  toTyping: number;
}

/** The demo agent answers `ping` with the time at which it was prompted. */
async function hop(host: TestHost, terminal: Terminal): Promise<Hop> {
  const from = terminal.frames.length;
  const sent = now();
  const id = terminal.send('ping');
  await until(() => terminal.outcome(id) !== undefined);
  let typing = 0;
  let message = 0;
  let prompted = 0;
  let outId = '';
  for (const [index, frame] of terminal.frames.entries()) {
    const at = terminal.arrived[index] ?? 0;
    if (index < from) continue;
    if (frame.type === 'typing' && frame.on) typing ||= at;
    if (frame.type === 'message' && frame.text.startsWith('pong ')) {
      prompted = Number(frame.text.slice(5));
      message = at;
      outId = frame.id;
    }
  }
  return {
    toProvider: prompted - sent,
    toClient: message - writtenAt(host, outId),
    answered: message - prompted,
    toTyping: typing === 0 ? 0 : typing - sent,
  };
}

function writtenAt(host: TestHost, id: string): number {
  const db = new DatabaseSync(join(host.home, 'data/v2.db'), { readOnly: true });
  const row = db.prepare('SELECT timestamp FROM messages WHERE id = ?').get(id);
  db.close();
  return Date.parse(String(row?.timestamp));
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function hopFigures({ silence }: { silence: boolean }): Promise<Row[]> {
  const rows: Row[] = [];
  {
    await using host = await startHost();
    const terminal = await host.terminal();
    await terminal.ask('ping');
    const hops: Hop[] = [];
    for (let i = 0; i < 300; i += 1) {
      hops.push(await hop(host, terminal));
      // A person doesn't write in step with our timers.
      await pause(Math.random() * 40);
    }
    rows.push(
      distribution(
        'warm: event accepted → prompt at the provider',
        hops.map((each) => each.toProvider),
        { p50: 5, p95: 15 },
      ),
      distribution(
        'warm: result written → adapter called',
        hops.map((each) => each.toClient),
        { p50: 5, p95: 15 },
      ),
      distribution(
        'warm: prompt at the provider, which answers at once → adapter called',
        hops.map((each) => each.answered),
        {},
      ),
      distribution(
        'event → typing at the adapter',
        hops.map((each) => each.toTyping),
        { p95: 150 },
      ),
    );
    if (silence) {
      const late: number[] = [];
      for (let i = 0; i < 3; i += 1) {
        await pause(120_000);
        late.push((await hop(host, terminal)).toProvider);
      }
      rows.push(distribution('the same after 120 s of silence, sandbox warm', late, { p95: 60 }));
    }
  }
  rows.push(
    distribution('cold: event → the runner has it (bubblewrap)', await coldStarts(15, 'bubblewrap'), { p50: 150 }),
  );
  return rows;
}

export async function coldStarts(count: number, runtime: DriverName): Promise<number[]> {
  const samples: number[] = [];
  await using host = await startHost({ runtime });
  const terminal = await host.terminal();
  for (let i = 0; i < count; i += 1) {
    samples.push((await hop(host, terminal)).toProvider);
    await endSandbox(host);
  }
  return samples;
}

/** Its host sees it die, with nothing open, and starts another for the next message. */
async function endSandbox(host: TestHost): Promise<void> {
  const ended = host.log().split('sandbox ended').length;
  const [agent = ''] = readdirSync(join(host.home, 'data/v2-sessions'));
  const [session = ''] = readdirSync(join(host.home, 'data/v2-sessions', agent));
  const box = join(host.home, 'data/v2-sessions', agent, session, 'box');
  killSandbox(box);
  await until(() => host.log().split('sandbox ended').length > ended);
}
