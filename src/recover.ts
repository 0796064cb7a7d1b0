import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import type { Aftermath } from './aftermath.ts';
import { endLongWaits } from './clock.ts';
import type { Sessions } from './db/sessions.ts';
import { NanoError } from './errors.ts';
import type { Logger } from './log/index.ts';
import type { SandboxDriver } from './sandbox/driver.ts';

export interface RecoverParts {
  db: DatabaseSync;
  driver: Pick<SandboxDriver, 'sweep'>;
  sessions: Pick<Sessions, 'undrained' | 'get'>;
  aftermath: Pick<Aftermath, 'recover'>;
  /** Queues what is unsaid; returns how much. */
  resume(): number;
  log: Logger;
}

/** Takes up what an earlier host left: the last words of its sandboxes, unsent replies, open messages. */
export async function recover({ db, driver, sessions, aftermath, resume, log }: RecoverParts): Promise<void> {
  const swept = await driver.sweep().catch((error: unknown) => {
    // Without bubblewrap nothing of it runs any more. A host that answers can tell each chat so; one that is gone can't.
    if (!(error instanceof NanoError)) throw error;
    log.error('no sandbox can be started', { error });
    return 0;
  });
  endLongWaits(db, Date.now());
  const undrained = sessions.undrained();
  for (const id of undrained) {
    const session = sessions.get(id);
    if (session) await aftermath.recover(session);
    faultPoint('boot.recovered');
  }
  const resumed = resume();
  faultPoint('boot.resumed');
  if (swept + undrained.length + resumed > 0) {
    log.info('taken up from an earlier host', { sandboxes: swept, sessions: undrained.length, deliveries: resumed });
  }
}
