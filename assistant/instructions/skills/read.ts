import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { readFrontMatter } from './front-matter.ts';

/** A skill's folder, read as what it is: anybody's. Nothing outside of it is read, nothing that waits, and no more than fits. */

export const SKILL_LIMITS = { files: 200, folders: 50, bytes: 4 * 1024 * 1024, instructionBytes: 4_000 } as const;
/** A folder's name, and the skill's. */
export const SKILL_NAME = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

export interface SkillFile {
  /** Below the skill's folder. */
  path: string;
  data: Buffer;
  executable: boolean;
}

export interface Skill {
  name: string;
  description: string;
  /** Empty: for any. */
  channels: readonly string[];
  /** Its part of the agent's instructions; empty: none. */
  instructions: string;
  files: readonly SkillFile[];
}

/** `why` goes on from “the skill: ”. */
export type ReadSkill = { ok: true; skill: Skill } | { ok: false; why: string };

/** What a person is told of it. */
class Unusable extends Error {}

export function readSkill(folder: string, name: string): ReadSkill {
  try {
    const files = new Walk(folder).files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const textOf = (path: string) => files.find((file) => file.path === path)?.data.toString('utf8');
    const text = textOf('SKILL.md');
    if (text === undefined) throw new Unusable('it has no SKILL.md');
    const head = readFrontMatter(text);
    if (!head)
      throw new Unusable('its SKILL.md does not begin with its name and description, between two lines of ---');
    if (head.name !== name) {
      throw new Unusable(
        `its SKILL.md calls it ${JSON.stringify(head.name.slice(0, 64))}, and not as its folder is called`,
      );
    }
    const instructions = textOf('instructions.md')?.trim() ?? '';
    if (Buffer.byteLength(instructions) > SKILL_LIMITS.instructionBytes) {
      throw new Unusable(`its instructions.md is longer than ${SKILL_LIMITS.instructionBytes} bytes`);
    }
    return { ok: true, skill: { ...head, instructions, files } };
  } catch (error) {
    return { ok: false, why: error instanceof Unusable ? `${error.message}.` : unreadable(error) };
  }
}

/** With the system's word alone: where something lies is not everybody's business. */
export function unreadable(error: unknown): string {
  return `it can't be read${error instanceof Error && 'code' in error ? ` (${error.code})` : ''}.`;
}

class Walk {
  readonly files: SkillFile[] = [];
  #folders = 0;
  #entries = 0;
  #bytes = 0;

  constructor(root: string) {
    if (!lstatSync(root).isDirectory()) throw new Unusable('it is no folder');
    this.#folder(root, '');
  }

  #folder(root: string, below: string): void {
    this.#folders += 1;
    if (this.#folders > SKILL_LIMITS.folders) throw new Unusable(`it has more than ${SKILL_LIMITS.folders} folders`);
    // Entry by entry: of a hundred thousand no list is made.
    const folder = opendirSync(join(root, below));
    try {
      for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
        this.#entries += 1;
        if (this.#entries > SKILL_LIMITS.files) throw new Unusable(`it has more than ${SKILL_LIMITS.files} files`);
        this.#entry(root, join(below, entry.name));
      }
    } finally {
      folder.closeSync();
    }
  }

  #entry(root: string, path: string): void {
    const stat = lstatSync(join(root, path));
    if (stat.isDirectory()) this.#folder(root, path);
    else if (stat.isSymbolicLink()) throw new Unusable(`it holds a link (${shown(path)}), and links are not followed`);
    else this.#file(root, path);
  }

  #file(root: string, path: string): void {
    // Opening a pipe must not wait for its writer; a link that has come in between is none.
    const fd = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new Unusable(`it holds a pipe or a device (${shown(path)})`);
      this.#bytes += stat.size;
      if (this.#bytes > SKILL_LIMITS.bytes)
        throw new Unusable(`it is larger than ${SKILL_LIMITS.bytes / 1024 ** 2} MB`);
      this.files.push({ path, data: readAsLong(fd, stat.size), executable: (stat.mode & 0o111) !== 0 });
    } finally {
      closeSync(fd);
    }
  }
}

/** No more than it had when it was looked at: it may grow without end. */
function readAsLong(fd: number, size: number): Buffer {
  const data = Buffer.alloc(size);
  let length = 0;
  for (let read = -1; read !== 0 && length < size; length += read)
    read = readSync(fd, data, length, size - length, null);
  return data.subarray(0, length);
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 80));
}
