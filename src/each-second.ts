import type { DatabaseSync } from 'node:sqlite';
import type { Activities } from './activity.ts';
import { createClockWatch, shiftWaits } from './clock.ts';
import type { ContainerRunner } from './container-runner.ts';
import type { Messages } from './db/messages.ts';
import { sweep } from './host-sweep.ts';
import type { Logger } from './log/index.ts';
import { heartbeatTime } from './mailbox/heartbeat.ts';

/** What the host looks at each second, whatever else it does. */

export interface EachSecondParts {
  db: DatabaseSync;
  messages: Messages;
  runner: ContainerRunner;
  activity: Activities;
  /** A session has something to do: its chat may see that. */
  showWork(sessionId: string): void;
  /** The box of a session, while there is one. */
  boxOf(sessionId: string): string | undefined;
  publish(sessionId: string): void;
  /** The clock was set: what waited for a time may go on. */
  onClock(): void;
  /** Each part's own look. */
  looks: readonly (() => void)[];
  log: Logger;
}

const EVERY_MS = 1_000;
/** A host that was held for longer (a debugger, a stopped machine) has seen nothing of what its sandboxes did. Less than any patience. */
const PAUSED_MS = 30_000;

export function createEachSecond(parts: EachSecondParts) {
  const { db, messages, runner, activity, publish, log } = parts;
  const clock = createClockWatch();
  let last = 0;
  let timer: NodeJS.Timeout | undefined;

  function view(sessionId: string) {
    const box = parts.boxOf(sessionId);
    return box === undefined
      ? undefined
      : activity.looked(sessionId, heartbeatTime(box), messages.due(sessionId, Date.now()).count > 0);
  }

  function followClock(jump: number): void {
    log.warn('the clock was set, or the machine slept', { seconds: Math.round(jump / 1000) });
    for (const id of shiftWaits(db, jump, Date.now())) publish(id);
    parts.onClock();
  }

  const sweepParts = {
    messages,
    runner,
    view,
    wake: (id: string) => void runner.wake(id),
    onDue: parts.showWork,
    onError: (error: unknown) => log.error('sweep', { error }),
  };

  function pass(): void {
    try {
      const pausedMs = performance.now() - last - EVERY_MS;
      last = performance.now();
      if (pausedMs > PAUSED_MS) activity.paused(pausedMs);
      const jump = clock.look();
      if (jump !== 0) followClock(jump);
      sweep(sweepParts, Date.now(), performance.now());
    } catch (error) {
      log.error('sweep failed', { error });
    }
    // Each on its own: what fails at every look must not keep the others from theirs.
    for (const look of parts.looks) {
      try {
        look();
      } catch (error) {
        log.error('a look failed', { error });
      }
    }
  }

  return {
    start(): void {
      last = performance.now() - EVERY_MS;
      pass();
      timer = setInterval(pass, EVERY_MS);
    },
    stop: (): void => clearInterval(timer),
  };
}
