import { chmodSync, mkdirSync, opendirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSkill, SKILL_NAME, type Skill, unreadable } from './read.ts';
import { candidates, isSelected, MAX_SKILLS } from './selection.ts';

/** The skills of this checkout and of this install: found, chosen, and put where an agent reads them. */

export interface SkillPlaces {
  /** `container/skills`. */
  shipped: string;
  /** `data/skills`: the owner's. One of the same name as a shipped one stands in for it. */
  own: string;
}

export interface LeftOutSkill {
  name: string;
  /** Goes on from “the skill: ”. */
  sentence: string;
}

export interface ChosenSkills {
  /** By name. */
  skills: Skill[];
  leftOut: LeftOutSkill[];
}

const MOST_NAMES = 200;
const MOST_ODD = 20;
/** All that is read at one start. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_INSTRUCTION_BYTES = 16_000;
const TOO_MUCH = 'with it, the skills are more than fit.';
const ODD = 'its folder may be called by small letters, digits and dashes alone.';

export function skillPlaces(code: string, root: string): SkillPlaces {
  return { shipped: join(code, 'container', 'skills'), own: join(root, 'data', 'skills') };
}

/** Sorted. Not all of them need to be usable. */
export function skillNames({ shipped, own }: SkillPlaces): string[] {
  return [...new Set([...namesIn(shipped), ...ownNames(own).names])].sort();
}

export function chooseSkills(places: SkillPlaces, selection: string, channels: ReadonlySet<string>): ChosenSkills {
  const chosen: ChosenSkills = { skills: [], leftOut: [] };
  const shipped = new Set(namesIn(places.shipped));
  const own = ownNames(places.own);
  const owned = new Set(own.names);
  if (own.trouble !== undefined) chosen.leftOut.push({ name: 'data/skills', sentence: own.trouble });
  if (candidates(selection, ['any']).includes('any'))
    chosen.leftOut.push(...own.odd.map((name) => ({ name, sentence: ODD })));
  let [bytes, instructionBytes] = [0, 0];
  for (const name of candidates(selection, [...new Set([...shipped, ...owned])].sort())) {
    const leaveOut = (sentence: string) => void chosen.leftOut.push({ name, sentence });
    if (!owned.has(name) && !shipped.has(name)) leaveOut('it is not there any more.');
    else if (chosen.skills.length === MAX_SKILLS || bytes > MAX_BYTES) leaveOut(TOO_MUCH);
    else {
      const read = readSkill(join(owned.has(name) ? places.own : places.shipped, name), name);
      if (!read.ok) {
        leaveOut(read.why);
        continue;
      }
      // Of one that isn't chosen, too: it was read.
      bytes += read.skill.files.reduce((sum, { data }) => sum + data.length, 0);
      if (!isSelected(selection, read.skill, channels)) continue;
      const told = instructionBytes + Buffer.byteLength(read.skill.instructions);
      if (bytes > MAX_BYTES || told > MAX_INSTRUCTION_BYTES) leaveOut(TOO_MUCH);
      else {
        instructionBytes = told;
        chosen.skills.push(read.skill);
      }
    }
  }
  return chosen;
}

/** In place of those that were there. The agent's uid reads them; the host's umask is narrower. */
export function placeSkills(folder: string, skills: readonly Skill[]): void {
  rmSync(folder, { recursive: true, force: true });
  const made = new Set<string>();
  const ensure = (path: string): void => {
    if (made.has(path) || path.length < folder.length) return;
    ensure(dirname(path));
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o755);
    made.add(path);
  };
  ensure(folder);
  for (const { name, files } of skills) {
    for (const { path, data, executable } of files) {
      const file = join(folder, name, path);
      ensure(dirname(file));
      writeFileSync(file, data);
      chmodSync(file, executable ? 0o755 : 0o644);
    }
  }
}

/** The owner's folder may be anything. */
function ownNames(folder: string): { names: string[]; odd: string[]; trouble?: string } {
  const odd: string[] = [];
  try {
    return { names: namesIn(folder, odd), odd: odd.sort() };
  } catch (error) {
    return { names: [], odd: [], trouble: unreadable(error) };
  }
}

/** `odd`: folders that were meant to be one, as they can be shown. */
function namesIn(folder: string, odd: string[] = []): string[] {
  const names: string[] = [];
  try {
    const open = opendirSync(folder);
    try {
      for (let entry = open.readSync(); entry && names.length < MOST_NAMES; entry = open.readSync()) {
        if (SKILL_NAME.test(entry.name)) names.push(entry.name);
        else if (entry.isDirectory() && !entry.name.startsWith('.') && odd.length < MOST_ODD) {
          odd.push(entry.name.replace(/\p{C}/gu, '�').slice(0, 64));
        }
      }
    } finally {
      open.closeSync();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return names;
}
