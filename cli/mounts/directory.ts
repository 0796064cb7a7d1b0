import { basename } from 'node:path';
import { DONE, missing, refuse } from '../../admin/directory/change.ts';
import type { By } from '../../admin/directory/index.ts';
import type { MountTools, Result } from '../../admin/view.ts';
import type { MountDecision } from '../../src/sandbox/mounts/decide.ts';
import { mayUse } from './may-use.ts';

/** Which folders an agent is to have. For the owner alone: agents can't ask for it. */

export interface CheckedMount {
  decision: MountDecision;
  /** False: it would be there, and the agent refused what is in it. */
  usable: boolean;
  /** The host's uid of the agent's sandboxes, where that isn't the host's own. */
  uid: number | null;
}

export interface MountRow extends CheckedMount {
  agentGroupId: string;
  agent: string;
  name: string;
  path: string;
  rw: boolean;
}

export interface NewMount {
  path: string;
  /** Inside; default: that of the folder. */
  name?: string;
  rw: boolean;
}

export interface MountDirectory {
  /** Without an agent group, of several: whether it would be given, and not whether its user may use it. */
  check(path: string, rw: boolean, agentGroupId?: string): Result<CheckedMount>;
  list(agentGroupId?: string): MountRow[];
  /** Both take effect at the next start of each of the agent's sandboxes. */
  add(agentGroupId: string, mount: NewMount, by: By, now: number): Result<MountRow>;
  remove(agentGroupId: string, name: string, by: By, now: number): Result<null>;
}

const MAX_MOUNTS = 32;
/** One component, with nothing in it that hides or breaks a line. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]{0,62}(?<! )$/u;

export function createMountDirectory({ agents, change, mounts, uidFor }: MountTools): MountDirectory {
  const find = (agentGroupId: string) => agents().find(({ id }) => id === agentGroupId);

  function check(path: string, rw: boolean, ordinal: number | undefined): CheckedMount {
    const decision = mounts.decide(path, rw);
    const uid = ordinal === undefined ? undefined : uidFor(ordinal);
    const isAnybodys = ordinal === undefined && uidFor(0) !== undefined;
    const usable = !decision.allowed || isAnybodys || mayUse(decision.source, uid, decision.mode === 'rw');
    return { decision, usable, uid: uid ?? null };
  }

  return {
    check(path, rw, agentGroupId) {
      const [only, ...others] = agents();
      const agent = agentGroupId === undefined && others.length === 0 ? only : find(agentGroupId ?? '');
      if (agentGroupId !== undefined && !agent) return missing('agent', agentGroupId);
      return { ok: true, data: check(path, rw, agent?.uidOrdinal) };
    },
    list: (agentGroupId) =>
      agents()
        .filter(({ id }) => agentGroupId === undefined || id === agentGroupId)
        .flatMap(({ id, name: agent, uidOrdinal, additionalMounts }) =>
          additionalMounts.map(({ name, path, rw }) => {
            return { agentGroupId: id, agent, name, path, rw, ...check(path, rw, uidOrdinal) };
          }),
        ),
    add: (agentGroupId, { path, rw, name: given }, by, now) =>
      change(by, now, (note): Result<MountRow> => {
        const agent = find(agentGroupId);
        if (!agent) return missing('agent', agentGroupId);
        const checked = check(path, rw, agent.uidOrdinal);
        if (!checked.decision.allowed) {
          const { sentence, remedy } = checked.decision;
          return refuse('NC_MOUNT', `${path.slice(0, 300)}: ${sentence}. ${remedy}`);
        }
        const { additionalMounts: all } = agent;
        const name = (given ?? basename(path)).normalize('NFC');
        if (!NAME.test(name))
          return refuse('NC_USAGE', `${JSON.stringify(name.slice(0, 80))} can't be its name: give --name.`);
        if (all.some((mount) => mount.name.toLowerCase() === name.toLowerCase()))
          return refuse('NC_EXISTS', `The agent has a folder ${JSON.stringify(name)} already: give another --name.`);
        if (all.length >= MAX_MOUNTS) return refuse('NC_USAGE', `An agent has at most ${MAX_MOUNTS} folders.`);
        mounts.save(agentGroupId, [...all, { name, path, rw }], now);
        note({ action: 'mount.added', subject: agentGroupId, detail: { name, path, rw } });
        return { ok: true, data: { agentGroupId, agent: agent.name, name, path, rw, ...checked } };
      }),
    remove: (agentGroupId, name, by, now) =>
      change(by, now, (note) => {
        const all = find(agentGroupId)?.additionalMounts ?? [];
        const mount = all.find((one) => one.name === name);
        if (!mount) return missing('folder', name);
        const left = all.filter((one) => one !== mount);
        mounts.save(agentGroupId, left, now);
        note({ action: 'mount.removed', subject: agentGroupId, detail: { name, path: mount.path } });
        return DONE;
      }),
  };
}
