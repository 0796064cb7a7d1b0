import type { DatabaseSync } from 'node:sqlite';
import { faultPoint } from '@nanoclaw/protocol';
import type { Aftermath } from './aftermath.ts';
import type { Audit } from './audit/index.ts';
import type { ContainerRunner } from './container-runner.ts';
import { transaction } from './db/group-commit.ts';
import type { Session } from './db/sessions.ts';
import type { Failure } from './failures.ts';
import type { Logger } from './log/index.ts';
import type { MailboxPull } from './mailbox-pull.ts';

/** A mailbox that broke a rule: its sandbox is ended, the file put aside, its chat told. That session's alone. */

export interface QuarantineParts {
  db: DatabaseSync;
  audit: Audit;
  runner: Pick<ContainerRunner, 'stop'>;
  mailbox: Pick<MailboxPull, 'putAside'>;
  aftermath: Pick<Aftermath, 'fail'>;
  log: Logger;
}

export function createQuarantine({ db, audit, runner, mailbox, aftermath, log }: QuarantineParts) {
  const under = new Set<string>();
  return (session: Session, reason: string): void => {
    if (under.has(session.id)) return;
    under.add(session.id);
    const failure: Failure = { kind: 'quarantine', retryable: false, message: reason };
    const entry = { actor: 'host', action: 'session.quarantined', subject: session.id, detail: { reason } };
    void runner
      .stop(session.id, 0, 'quarantine')
      .then(() => {
        faultPoint('quarantine.stopped');
        mailbox.putAside(session, Date.now());
        faultPoint('quarantine.aside');
      })
      // Told even if the file could not be moved; and after it, or a crash between the two would cost the next message.
      .finally(() => aftermath.fail(session, failure))
      .finally(() => transaction(db, () => audit.record(entry, Date.now())))
      .catch((error: unknown) => log.error('quarantine failed', { session: session.id, error }))
      .finally(() => under.delete(session.id));
  };
}
