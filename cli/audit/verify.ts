import { z } from 'zod';
import { Head } from '../../admin/audit/anchor.ts';
import { type AuditRow, GENESIS, hashOf, LOG_BROKEN, SEGMENT_DROPPED } from '../../src/audit/chain.ts';

/** Whether the audit log is the one that was written: row by row, with nothing in memory but the last one. Pure. */

export interface Segment {
  segment: number;
  firstSeq: number;
  firstPrev: string;
  lastSeq: number | null;
  lastHash: string | null;
  sealedAt: string | null;
  droppedAt: string | null;
}

/** `recorded`: the host itself has found it before. `guard`: what keeps rows from being changed is gone. */
export type FindingKind = 'content' | 'link' | 'order' | 'missing' | 'segment' | 'head' | 'recorded' | 'guard';

export interface Finding {
  /** The first row that isn't as it should be; of missing rows, the first of them. */
  seq: number;
  kind: FindingKind;
  sentence: string;
}

export interface Verifier {
  next(row: AuditRow): Finding | undefined;
  /** After the last row. */
  end(): Finding | undefined;
}

/** `segments` in their order. `head` undefined: there is none, or it can't be read. */
export function createVerifier(segments: readonly Segment[], head: Head | undefined): Verifier {
  const gone = segments.filter(({ droppedAt }) => droppedAt !== null);
  let seq = 0;
  let hash = GENESIS;
  /** The segment that the next row should be in. */
  let index = 0;
  let headHash: string | undefined;
  let dropped: AuditRow | undefined;
  let broken: AuditRow | undefined;
  pass(0, GENESIS);
  const forgedGap = passGone();
  const goneTo = seq;

  function pass(to: number, itsHash: string): void {
    seq = to;
    hash = itsHash;
    if (head?.seq === to) headHash = itsHash;
  }

  /** What was dropped has no rows any more; what is left begins where it ended. */
  function passGone(): Finding | undefined {
    for (const one of gone) {
      const { segment, firstSeq, firstPrev, lastSeq, lastHash } = one;
      if (one !== segments[index] || lastSeq === null || lastHash === null)
        return forged(firstSeq, segment, 'is marked as dropped out of its turn');
      if (segment !== index + 1 || firstSeq !== seq + 1 || firstPrev !== hash || lastSeq < firstSeq)
        return forged(firstSeq, segment, 'does not follow on what was before it');
      pass(lastSeq, lastHash);
      index += 1;
    }
    return undefined;
  }

  /** The row follows on the one before it; whether its segment does. */
  function segmentProblem(row: AuditRow): Finding | undefined {
    const before = segments[index];
    if (before?.lastSeq === seq) {
      if (before.lastHash !== hash) return forged(seq, before.segment, `did not end with row ${seq} as it stands`);
      index += 1;
    }
    const current = segments[index];
    if (!current) return forged(row.seq, row.segment, 'is not known');
    const { segment, firstSeq, firstPrev, lastSeq } = current;
    if (segment !== index + 1 || firstSeq > row.seq || (lastSeq ?? row.seq) < row.seq || segment !== row.segment)
      return forged(row.seq, segment, `should hold row ${row.seq}, which says ${row.segment}`);
    if (firstSeq === row.seq && firstPrev !== hash)
      return forged(row.seq, segment, `did not begin after row ${seq} as it stands`);
    return undefined;
  }

  function rowProblem(row: AuditRow): Finding | undefined {
    if (hashOf(row) === row.hash) {
      if (row.prevHash === hash) return undefined;
      const why = `row ${seq} was changed and its hash made anew, or row ${row.seq} was put in`;
      return found(row.seq, 'link', `Row ${row.seq} does not follow on row ${seq} as it stands: ${why}.`);
    }
    if (hashOf({ ...row, prevHash: hash }) === row.hash)
      return found(row.seq, 'link', `Row ${row.seq} has another link than it was written with.`);
    const place = placeOf(row, segments, head?.seq ?? 0);
    if (place !== undefined)
      return found(
        row.seq,
        'order',
        `Row ${row.seq} is the one that was written as row ${place}: they were reordered.`,
      );
    return found(row.seq, 'content', `Row ${row.seq} is not as it was written: its content does not fit its hash.`);
  }

  return {
    next(row) {
      if (forgedGap) return forgedGap;
      // Left over from a segment that is being removed.
      if (row.seq >= 1 && row.seq <= goneTo) return undefined;
      if (row.seq <= seq) return found(row.seq, 'order', `Row ${row.seq} stands before the beginning of the log.`);
      if (row.seq > seq + 1) return missing(seq + 1, row.seq - 1);
      const problem = rowProblem(row) ?? segmentProblem(row);
      if (problem) return problem;
      pass(row.seq, row.hash);
      if (row.action === SEGMENT_DROPPED) dropped = row;
      if (row.action === LOG_BROKEN) broken ??= row;
      return undefined;
    },
    end() {
      if (forgedGap) return forgedGap;
      const left = segments.slice(index);
      const known = Math.max(head?.seq ?? 0, ...left.map(({ firstSeq, lastSeq }) => lastSeq ?? firstSeq));
      if (seq < known) return missing(seq + 1, known);
      const [open] = left;
      if (seq > 0 && (left.length !== 1 || open?.lastSeq !== null))
        return forged(seq, open?.segment ?? segments.length, 'is the newest, and not open');
      const last = gone.at(-1);
      const detail = last && JSON.stringify({ lastSeq: last.lastSeq, lastHash: last.lastHash });
      if (last && (dropped?.subject !== String(last.segment) || dropped.detail !== detail))
        return forged(last.firstSeq, last.segment, 'is marked as dropped, which the log does not tell');
      if (broken) return found(broken.seq, 'recorded', recordedSentence(broken));
      if (seq > 0 && !head)
        return found(seq, 'head', 'data/audit-head is gone or unreadable: newest rows may have been cut off.');
      if (head && head.seq >= goneTo && headHash !== head.hash)
        return found(
          head.seq,
          'head',
          `Row ${head.seq} is not the one that data/audit-head notes: it was written anew.`,
        );
      return undefined;
    },
  };
}

function found(seq: number, kind: FindingKind, sentence: string): Finding {
  return { seq, kind, sentence };
}

function forged(seq: number, segment: number, what: string): Finding {
  return found(seq, 'segment', `Segment ${segment} ${what}: audit_segments was changed by hand, or rows were.`);
}

function missing(from: number, to: number): Finding {
  return found(from, 'missing', from === to ? `Row ${from} is missing.` : `Rows ${from} to ${to} are missing.`);
}

/** The number with which a row, as it stands, was written, when that is another one of its segment. */
function placeOf(row: AuditRow, segments: readonly Segment[], headSeq: number): number | undefined {
  const own = segments.find(({ segment }) => segment === row.segment);
  if (!own) return undefined;
  for (let seq = own.firstSeq; seq <= (own.lastSeq ?? headSeq); seq += 1) {
    if (seq !== row.seq && hashOf({ ...row, seq }) === row.hash) return seq;
  }
  return undefined;
}

const Found = z.object({ noted: Head.nullable(), found: Head });

function recordedSentence({ seq, at, detail }: AuditRow): string {
  return `On ${at} the host found that ${whatWasFound(detail)}: row ${seq} says so.`;
}

function whatWasFound(detail: string): string {
  const { noted, found: there } = Found.parse(JSON.parse(detail));
  if (noted === null) return 'data/audit-head was gone';
  if (noted.seq <= there.seq) return `row ${noted.seq} was not the one that it had written`;
  return `rows ${there.seq + 1} to ${noted.seq} were missing`;
}
