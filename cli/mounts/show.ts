import { printable } from '../../src/log/printable.ts';
import type { Look } from '../screen.ts';
import { pairs, table } from '../table.ts';
import type { CheckedMount, MountRow } from './directory.ts';

export function showCheck({ path, ...checked }: CheckedMount & { path: string }): string {
  const { decision } = checked;
  const verdict = decision.allowed ? `Yes, ${printable(path)}: ${stateOf(checked)}.` : `No, ${printable(path)}:`;
  return [verdict, ...troublesOf(checked)].join(' ');
}

export function showMounts(rows: readonly MountRow[], look: Look): string {
  if (rows.length === 0) return 'No folder is given: `ncl mounts add` does that.';
  const cells = rows.map((row) => [row.agent, row.name, row.path, stateOf(row)]);
  const troubles = rows.flatMap((row) => troublesOf(row).map((trouble) => `${row.agent}, ${row.name}: ${trouble}`));
  return [table(['AGENT', 'NAME', 'PATH', 'STATE'], cells, look), ...troubles].join('\n');
}

export function showRow(row: MountRow, look: Look): string {
  const entries = [
    ['agent', row.agent],
    ['folder', row.path],
    ['inside', `/workspace/extra/${row.name}`],
    ['state', stateOf(row)],
  ] as const;
  return [pairs(entries, look), ...troublesOf(row)].join('\n');
}

function stateOf({ decision }: CheckedMount): string {
  return decision.allowed ? (decision.mode === 'rw' ? 'writable' : 'read-only') : 'left out';
}

/** What isn't as wanted, and what the owner can do about it. */
function troublesOf({ decision, usable, uid }: CheckedMount): string[] {
  if (!decision.allowed) return [`${decision.sentence}. ${decision.remedy}`];
  const { note, mode, source } = decision;
  const notes = note === undefined ? [] : [`It is ${note}.`];
  if (usable) return notes;
  const [may, bits] = mode === 'rw' ? ['read and write', 'rwX'] : ['read', 'rX'];
  return uid === null
    ? [...notes, `The host's user may not ${may} it. Run: chmod -R u+${bits} ${source}`]
    : [
        ...notes,
        `User ${uid}, as whom the agent runs, may not ${may} it. Run: setfacl -R -m u:${uid}:${bits} ${source}`,
      ];
}
