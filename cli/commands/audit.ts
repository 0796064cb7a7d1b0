import { localTime } from '../../src/log/human.ts';
import { pathsFor } from '../../src/paths.ts';
import { type ClientCommand, textOf } from '../definition.ts';
import { numberOf } from '../number-flag.ts';
import { sinceOf } from '../since-flag.ts';
import { table } from '../table.ts';

export const auditList: ClientCommand = {
  name: 'audit list',
  summary: 'What was decided, by whom and when; without a host as well',
  flags: [
    { name: 'subject', value: 'id', description: 'what it is about; the beginning of an id is enough' },
    { name: 'actor', value: 'id', description: 'who did it: a user, `host`, `agent:<agent group>`' },
    { name: 'action', value: 'name', description: 'what was done: `member.added`, or all of `member.`' },
    { name: 'since', value: 'time', description: 'nothing older: 30s, 10min, 2h, 1d, or a date with its time' },
    { name: 'limit', short: 'n', value: 'count', description: 'how many of the newest; 50 at first' },
  ],
  place: 'client',
  async run(args, { home, screen, json }) {
    const limit = numberOf(args, 'limit', { least: 1, most: 1_000_000, otherwise: 50 });
    const since = sinceOf(args);
    const { findRows, withLog } = await import('../audit/read.ts');
    const filter = {
      subject: textOf(args, 'subject'),
      actor: textOf(args, 'actor'),
      action: textOf(args, 'action'),
      since: since === undefined ? undefined : new Date(since).toISOString(),
    };
    const rows = withLog(pathsFor(home).db, (db) => findRows(db, filter, limit));
    if (json) screen.out(JSON.stringify(rows));
    else if (rows.length === 0) screen.out('Nothing of the kind was recorded.');
    else {
      const cells = rows.map(({ seq, at, actor, action, subject, detail }) => {
        return [String(seq), localTime(at), actor, action, subject, detail === '{}' ? '' : detail];
      });
      screen.out(table(['SEQ', 'TIME', 'WHO', 'DID', 'TO', 'MORE'], cells, screen));
    }
    return 0;
  },
};

export const auditVerify: ClientCommand = {
  name: 'audit verify',
  summary: 'Check that the record of decisions is as it was written; beside a running host or without one',
  place: 'client',
  async run(_args, { home, screen, json }) {
    const { verifyLog } = await import('../audit/verify-log.ts');
    const { db, auditHead } = pathsFor(home);
    const report = verifyLog(db, auditHead);
    const { rows, ms, gone, restored, problem } = report;
    if (json) screen.out(JSON.stringify(report));
    else {
      for (const { segment, firstSeq, lastSeq, droppedAt } of gone)
        screen.out(
          `Segment ${segment}, rows ${firstSeq} to ${lastSeq}, was old and dropped on ${localTime(droppedAt)}.`,
        );
      for (const { seq, at, of } of restored)
        screen.out(`Row ${seq}: on ${localTime(at)} the backup of ${localTime(of)} was restored.`);
      screen.out(
        problem
          ? `The audit log is not as it was written. ${problem.sentence}`
          : `The audit log is whole: ${rows} rows in ${ms} ms.`,
      );
    }
    return problem ? 1 : 0;
  },
};
