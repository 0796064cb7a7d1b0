import { hostCommand, textOf } from '../definition.ts';
import { createMountDirectory } from '../mounts/directory.ts';
import { showCheck, showMounts, showRow } from '../mounts/show.ts';

/** Which folders of this machine agents are given: the owner's business alone, so that agents have none of these. */

const path = { name: 'path', description: 'the folder on this machine, from / on', required: true } as const;
const group = {
  name: 'group',
  description: 'the agent: an id, the beginning of one, or a name',
  ref: 'group',
} as const;
const rw = { name: 'rw', description: 'the agent may change what is in it, where the list allows that' } as const;

export const mountsCheck = hostCommand({
  name: 'mounts check',
  summary: 'Whether a folder would be given to an agent, and why not',
  positionals: [path],
  flags: [{ ...group, value: 'agent', description: 'for that agent: whether its user may use it, too' }, rw],
  handle(view, args) {
    const given = textOf(args, 'path') ?? '';
    const checked = createMountDirectory(view.mounts).check(given, args.rw === true, textOf(args, 'group'));
    return checked.ok ? { ok: true, data: { path: given, ...checked.data } } : checked;
  },
  show: showCheck,
});

export const mountsList = hostCommand({
  name: 'mounts list',
  summary: 'The folders that agents are to have, and which are left out',
  positionals: [group],
  handle: (view, args) => ({ ok: true, data: createMountDirectory(view.mounts).list(textOf(args, 'group')) }),
  show: showMounts,
});

export const mountsAdd = hostCommand({
  name: 'mounts add',
  summary: 'Give a folder to an agent, as /workspace/extra/<name>, read-only unless --rw is given',
  positionals: [{ ...group, required: true }, path],
  flags: [{ name: 'name', value: 'name', description: 'how it is called inside; otherwise as on this machine' }, rw],
  handle(view, args, { by, now }) {
    const name = textOf(args, 'name');
    const mount = { path: textOf(args, 'path') ?? '', rw: args.rw === true, ...(name !== undefined && { name }) };
    return createMountDirectory(view.mounts).add(textOf(args, 'group') ?? '', mount, by, now);
  },
  show: (row, look) => `${showRow(row, look)}\n\n${LATER}`,
});

export const mountsRemove = hostCommand({
  name: 'mounts remove',
  summary: 'Take it back; the folder itself stays as it is',
  positionals: [
    { ...group, required: true },
    { name: 'name', description: 'how it is called inside', required: true },
  ],
  handle: (view, args, { by, now }) =>
    createMountDirectory(view.mounts).remove(textOf(args, 'group') ?? '', textOf(args, 'name') ?? '', by, now),
  show: () => `It is taken back. ${LATER}`,
});

const LATER = 'That holds from the next start of a sandbox on; `ncl groups restart` ends those that run.';
