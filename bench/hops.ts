import { startHost, type Terminal, type TestHost } from '../test/support/host-process.ts';
import { until } from '../test/support/until.ts';
import { distribution, type Row } from './report.ts';

const now = () => performance.timeOrigin + performance.now();

interface Hop {
  /** Sent by the client → the provider has the prompt. */
  toProvider: number;
  /** The provider's result → the client has the message. */
  toClient: number;
  toTyping: number;
}

/** The demo agent answers `ping` with the time at which it was prompted. */
async function hop(terminal: Terminal): Promise<Hop> {
  const from = terminal.frames.length;
  const arrived: number[] = [];
  const onData = () => arrived.push(now());
  terminal.socket.on('data', onData);
  const sent = now();
  const id = terminal.send('ping');
  let typing = 0;
  let message = 0;
  let prompted = 0;
  await until(() => {
    for (const frame of terminal.frames.slice(from)) {
      if (frame.type === 'typing' && frame.on) typing ||= arrived[0] ?? 0;
      if (frame.type === 'message' && frame.text.startsWith('pong ')) {
        prompted = Number(frame.text.slice(5));
        message ||= arrived.at(-1) ?? 0;
      }
    }
    return message > 0 && terminal.outcome(id) !== undefined;
  });
  terminal.socket.off('data', onData);
  return { toProvider: prompted - sent, toClient: message - prompted, toTyping: typing === 0 ? 0 : typing - sent };
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
      hops.push(await hop(terminal));
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
        'event → typing at the adapter',
        hops.map((each) => each.toTyping),
        { p95: 150 },
      ),
    );
    if (silence) {
      const late: number[] = [];
      for (let i = 0; i < 3; i += 1) {
        await pause(120_000);
        late.push((await hop(terminal)).toProvider);
      }
      rows.push(distribution('the same after 120 s of silence, sandbox warm', late, { p95: 60 }));
    }
  }
  rows.push(distribution('cold: event → the runner has it (bubblewrap)', await coldStarts(), { p50: 150 }));
  return rows;
}

async function coldStarts(): Promise<number[]> {
  const samples: number[] = [];
  await using host = await startHost();
  const terminal = await host.terminal();
  for (let i = 0; i < 15; i += 1) {
    samples.push((await hop(terminal)).toProvider);
    await killSandbox(host, terminal);
  }
  return samples;
}

/** A /stop that the runner can't obey in time would do as well; ending it from outside is quicker. */
async function killSandbox(host: TestHost, terminal: Terminal): Promise<void> {
  const ended = host.log().split('sandbox ended').length;
  await terminal.ask('/clear');
  terminal.send('run kill -KILL $PPID');
  await until(() => host.log().split('sandbox ended').length > ended);
  await terminal.ask('/stop');
}
