import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import type { Aftermath } from './aftermath.ts';
import { endLongWaits } from './clock.ts';
import type { ContainerRunner } from './container-runner.ts';
import type { Sessions } from './db/sessions.ts';
import { NanoError } from './errors.ts';
import type { Logger } from './log/index.ts';
import type { SandboxDriver } from './sandbox/driver.ts';

export interface RecoverParts {
  db: DatabaseSync;
  driver: Pick<SandboxDriver, 'adopt' | 'sweep'>;
  /** Those that go on as if this host had started them. */
  runner: Pick<ContainerRunner, 'adopt' | 'has'>;
  sessions: Pick<Sessions, 'undrained' | 'get'>;
  aftermath: Pick<Aftermath, 'recover'>;
  /** Queues what is unsaid; returns how much. */
  resume(): number;
  log: Logger;
}

/** Takes up what an earlier host left: the last words of its sandboxes, unsent replies, open messages. */
export async function recover({ db, driver, runner, sessions, aftermath, resume, log }: RecoverParts): Promise<void> {
  const left = async () => {
    const adopted = await driver.adopt();
    await Promise.all(adopted.map(runner.adopt));
    return { adopted: adopted.length, swept: await driver.sweep() };
  };
  const { adopted, swept } = await left().catch((error: unknown) => {
    // Without a driver nothing can be started. A host that answers can tell each chat so; one that is gone can't.
    if (!(error instanceof NanoError)) throw error;
    log.error('no sandbox can be started', { error });
    return { adopted: 0, swept: 0 };
  });
  endLongWaits(db, Date.now());
  const undrained = sessions.undrained().filter((id) => !runner.has(id));
  for (const id of undrained) {
    const session = sessions.get(id);
    if (session) await aftermath.recover(session);
    faultPoint('boot.recovered');
  }
  const resumed = resume();
  faultPoint('boot.resumed');
  if (adopted + swept + undrained.length + resumed > 0) {
    const counts = { adopted, sandboxes: swept, sessions: undrained.length, deliveries: resumed };
    log.info('taken up from an earlier host', counts);
  }
}
