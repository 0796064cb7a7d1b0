import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, hostCommand } from '../definition.ts';
import { table } from '../table.ts';

/** What agents may be given to call up; which an agent has is in `groups config`. */

interface SkillRow {
  name: string;
  /** Empty: for any channel. */
  channels: readonly string[];
  /** Of this install, and not shipped. */
  own: boolean;
  description: string;
  /** Why it can't be used. */
  problem: string | null;
}

const root = join(import.meta.dirname, '..', '..');

const list = hostCommand<SkillRow[]>({
  name: 'skills list',
  summary: 'The skills that there are: those that are shipped, and yours in data/skills/',
  agents: 'read',
  async handle() {
    // Loaded late: most commands need none of it.
    const { chooseSkills, skillPlaces } = await import('../../assistant/instructions/skills/index.ts');
    const places = skillPlaces(root, process.cwd());
    const { skills, leftOut } = chooseSkills(places, 'all', new Set());
    const own = (name: string) => existsSync(join(places.own, name));
    const rows = [
      ...skills.map(({ name, channels, description }) => ({ name, channels, description, problem: null })),
      ...leftOut.map(({ name, sentence }) => ({ name, channels: [], description: '', problem: sentence })),
    ];
    return { ok: true, data: rows.map((row) => ({ ...row, own: own(row.name) })).sort(byName) };
  },
  show(rows, look) {
    const cells = rows.map(({ name, channels, own, description, problem }) => [
      name,
      channels.join(', ') || 'any',
      own ? 'yours' : 'shipped',
      problem === null ? description : `can not be used: ${problem}`,
    ]);
    return table(['NAME', 'CHANNELS', 'FROM', 'WHAT FOR'], cells, look);
  },
});

function byName(a: SkillRow, b: SkillRow): number {
  return a.name < b.name ? -1 : 1;
}

export const skills: readonly Command[] = [list];
