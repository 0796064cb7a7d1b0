import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { INSIDE, isoTime } from '@nanoclaw/protocol';
import type { Audit } from '../../audit/index.ts';
import { type AdditionalMount, AdditionalMounts, getAgentGroup } from '../../groups/agent-groups.ts';
import type { Paths } from '../../paths.ts';
import type { Mount } from '../driver.ts';
import { isSandboxUid } from '../uid.ts';
import { readAllowlist } from './allowlist.ts';
import { blockedNames, decideMount, type MountDecision } from './decide.ts';
import { findPath, realIfThere, realRoots } from './facts.ts';

/** Folders of the host that agents are given, at `/workspace/extra/<name>`. What may be is decided at each use anew. */

export interface MountsParts {
  db: DatabaseSync;
  audit: Audit;
  paths: Paths;
  /** The checkout. */
  code: string;
  /** The file of the owner's list. */
  allowlist: string;
}

export interface SharedFolders {
  shared: { name: string; mount: Mount }[];
  leftOut: LeftOut[];
}

export interface LeftOut {
  name: string;
  path: string;
  /** Goes on from “the folder: ”. */
  sentence: string;
}

export interface Mounts {
  decide(path: string, rw: boolean): MountDecision;
  /** For one start of a sandbox. */
  forStart(agentGroupId: string): SharedFolders;
  /** Of these, what nobody has been told of yet; from then on it counts as told. Inside a transaction. */
  takeNews(agentGroupId: string, leftOut: readonly LeftOut[], now: number): LeftOut[];
  /** Inside a transaction. */
  save(agentGroupId: string, mounts: readonly AdditionalMount[], now: number): void;
}

export function createMounts({ db, audit, paths, code, allowlist }: MountsParts): Mounts {
  const writable = db.prepare(
    `SELECT additional_mounts FROM container_configs WHERE additional_mounts LIKE '%"rw":true%'`,
  );
  const update = db.prepare(
    'UPDATE container_configs SET additional_mounts = ?, updated_at = ? WHERE agent_group_id = ?',
  );
  const { data, groups, logs, env, root } = paths;
  const own = [data, groups, logs, env, allowlist, dirname(allowlist)];

  function decide(path: string, rw: boolean): MountDecision {
    const list = readAllowlist(allowlist);
    const sources = writable.all().flatMap((row) => AdditionalMounts.parse(row.additional_mounts));
    return decideMount({ path, rw }, list, {
      found: findPath(path, blockedNames(list)),
      roots: realRoots(list),
      // Also where they aren't yet.
      own: [...own, ...own.flatMap(realIfThere)],
      code: [code, root].flatMap(realIfThere),
      agents: sources.flatMap((source) => (source.rw ? realIfThere(source.path) : [])),
      isSandboxUid,
    });
  }

  function save(agentGroupId: string, mounts: readonly AdditionalMount[], now: number): void {
    update.run(JSON.stringify(mounts), isoTime(now), agentGroupId);
  }

  return {
    decide,
    save,
    forStart(agentGroupId) {
      const all: SharedFolders = { shared: [], leftOut: [] };
      for (const { name, path, rw } of getAgentGroup(db, agentGroupId)?.additionalMounts ?? []) {
        const decision = decide(path, rw);
        if (!decision.allowed) all.leftOut.push({ name, path, sentence: decision.sentence });
        else {
          const { source, mode, identity } = decision;
          all.shared.push({ name, mount: { source, target: `${INSIDE.extra}/${name}`, mode, identity } });
        }
      }
      return all;
    },
    takeNews(agentGroupId, leftOut, now) {
      const mounts = getAgentGroup(db, agentGroupId)?.additionalMounts ?? [];
      const why = new Map(leftOut.map(({ name, sentence }) => [name, sentence]));
      if (mounts.every(({ name, told }) => why.get(name) === told)) return [];
      const told = new Map(mounts.map((mount) => [mount.name, mount.told]));
      const news = leftOut.filter(({ name, sentence }) => told.has(name) && told.get(name) !== sentence);
      save(
        agentGroupId,
        mounts.map(({ name, path, rw }) => ({ name, path, rw, told: why.get(name) })),
        now,
      );
      for (const { name, path, sentence } of news) {
        const detail = { name, path, reason: sentence };
        audit.record({ actor: 'host', action: 'mount.refused', subject: agentGroupId, detail }, now);
      }
      return news;
    },
  };
}
