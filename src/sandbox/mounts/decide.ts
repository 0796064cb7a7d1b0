import { isAbsolute } from 'node:path';
import type { AllowedRoot, Allowlist } from './allowlist.ts';

/** Which folder of the host an agent may be given, and how: pure, from what was found there. */

export interface MountRequest {
  path: string;
  rw: boolean;
}

/** What the file system says, gathered anew for each decision. */
export interface MountFacts {
  found: FoundPath | { missing: string };
  /** Where each allowed folder really lies; by its path in the list. */
  roots: ReadonlyMap<string, string>;
  /** What NanoClaw keeps for itself. */
  own: readonly string[];
  /** Where its programs lie. */
  code: readonly string[];
  /** What agents may write, by mounts. */
  agents: readonly string[];
  isSandboxUid(uid: number): boolean;
}

export interface FoundPath {
  /** With every link followed. */
  real: string;
  kind: 'folder' | 'file' | 'special';
  /** See `Mount`. */
  identity: string;
  /** Which of the blocked names lie directly in it. */
  holds: readonly string[];
  /** All folders above it. */
  parents: readonly { path: string; uid: number; mode: number }[];
}

export type MountDecision =
  /** `source` is what has to be mounted; `note` says why it isn't as wanted. */
  { allowed: true; source: string; identity: string; mode: 'ro' | 'rw'; note?: string } | MountRefusal;

export interface MountRefusal {
  allowed: false;
  reason: 'path' | 'missing' | 'kind' | 'system' | 'own' | 'name' | 'holds' | 'agents' | 'list' | 'root' | 'parents';
  /** Goes on from “the folder: ”; anybody may read it. */
  sentence: string;
  /** For the owner: it may name paths. */
  remedy: string;
}

/** Names of what holds secrets. Each is a whole component of a path, in small letters or capitals; `*` is anything. */
const BLOCKED_NAMES: readonly string[] = [
  ...['.ssh', '.gnupg', '.gpg', '.aws', '.azure', '.gcloud', '.kube', '.docker', '.password-store'],
  ...['credentials', '.credentials', '.git-credentials', '.env', '.env.*', '.netrc', '.npmrc', '.pypirc', '.pgpass'],
  ...['id_rsa', 'id_dsa', 'id_ecdsa', 'id_ed25519', 'private_key', '.secret', '.secrets'],
];
export function blockedNames(list: Allowlist): readonly string[] {
  return list.state === 'read' ? [...BLOCKED_NAMES, ...list.blockedPatterns] : BLOCKED_NAMES;
}

const SYSTEM = ['/proc', '/sys', '/dev', '/run'];

export function decideMount(request: MountRequest, list: Allowlist, facts: MountFacts): MountDecision {
  const { found } = facts;
  if (!isAbsolute(request.path) || request.path.includes('\0'))
    return refuse('path', 'its path does not begin with /', 'Give the whole path.');
  if ('missing' in found)
    return found.missing === 'ENOENT'
      ? refuse('missing', 'it is not there', 'Make it, or correct the path.')
      : refuse('missing', `it can not be looked at (${found.missing})`, "Give the host's user the right to read it.");
  const refused = refuseAlways(found, list, facts) ?? refuseList(found.real, list);
  if (refused) return refused;
  const root = rootOf(found.real, list, facts);
  if (!root) return refuseUnlisted(found.real, list, facts);
  const open = found.parents.find(({ uid, mode }) => facts.isSandboxUid(uid) || (mode & 0o1002) === 0o002);
  if (open) {
    const remedy = `See to it that only its owner may write ${open.path}.`;
    return refuse('parents', 'it could be replaced: others may write a folder that it lies in', remedy);
  }
  const { real: source, identity } = found;
  return { allowed: true, source, identity, ...modeOf(request, source, root, facts) };
}

/** What no list can allow. */
function refuseAlways(found: FoundPath, list: Allowlist, facts: MountFacts): MountRefusal | undefined {
  const { real, kind, holds } = found;
  if (real === '/' || SYSTEM.some((folder) => isWithin(real, folder)))
    return refuse('system', 'it is a part of the system that is never mounted', `Choose another than ${real}.`);
  const own = facts.own.find((path) => isWithin(path, real) || isWithin(real, path));
  if (own) return refuse('own', 'it has to do with what NanoClaw keeps for itself', `Leave ${own} out of it.`);
  const blocked = blockedNames(list);
  const name = real.split('/').find((component) => patternsOf([component], blocked).length > 0);
  if (name)
    return refuse('name', `“${name}” in its path is a name that is never mounted`, 'Move what is wanted of it.');
  if (kind === 'special') return refuse('kind', 'it is a socket, a pipe or a device', 'Only folders can be mounted.');
  if (kind === 'file')
    return refuse('kind', 'it is a file', 'Only folders can be mounted: put it into one of its own.');
  if (holds[0])
    return refuse('holds', `it holds “${holds[0]}”, which no agent gets`, 'Move that, or mount less of it.');
  const tree = facts.agents.find((path) => path !== real && isWithin(real, path));
  if (tree)
    return refuse('agents', 'an agent may write where it lies, and replace it', `Mount ${tree}, or move it away.`);
  return undefined;
}

function refuseList(real: string, list: Allowlist): MountRefusal | undefined {
  if (list.state === 'unusable')
    return refuse('list', `the list of allowed folders can not be used: ${list.sentence}`, list.remedy);
  if (list.state === 'read') return undefined;
  const text = JSON.stringify({ allowedRoots: [{ path: real, allowReadWrite: false }], blockedPatterns: [] });
  return refuse('list', 'there is no list of allowed folders', `Write ${list.file} with ${text}`);
}

function refuseUnlisted(real: string, list: Allowlist, { roots }: MountFacts): MountRefusal {
  const sentence = 'it is in no folder that is allowed';
  const [linked] = [...roots].filter(([given, target]) => given !== target && isWithin(real, target));
  if (linked)
    return refuse('root', sentence, `${linked[0]} in ${list.file} is a link: write ${linked[1]} in its place.`);
  const line = JSON.stringify({ path: real, allowReadWrite: false });
  return refuse('root', sentence, `Add ${line} to allowedRoots in ${list.file}.`);
}

/**
 * The innermost one decides. One that is reached by a link allows nothing: whoever may change the link would decide what
 * is allowed.
 */
function rootOf(real: string, list: Allowlist, { roots }: MountFacts): AllowedRoot | undefined {
  const allowed = list.state === 'read' ? list.allowedRoots : [];
  return allowed
    .filter(({ path }) => roots.get(path) === path && isWithin(real, path))
    .reduce<AllowedRoot | undefined>(
      (best, one) => (best && best.path.length >= one.path.length ? best : one),
      undefined,
    );
}

function modeOf({ rw }: MountRequest, real: string, root: AllowedRoot, { code }: MountFacts) {
  if (!rw) return { mode: 'ro' as const };
  if (!root.allowReadWrite) return { mode: 'ro' as const, note: `read-only, since ${root.path} is allowed so` };
  const overlaps = code.some((path) => isWithin(path, real) || isWithin(real, path));
  return overlaps
    ? { mode: 'ro' as const, note: 'read-only, since the host runs from there' }
    : { mode: 'rw' as const };
}

function refuse(reason: MountRefusal['reason'], sentence: string, remedy: string): MountRefusal {
  return { allowed: false, reason, sentence, remedy };
}

/** By whole components: /srv/database isn't within /srv/data. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** Those of the patterns that one of these components fits: a folder may hold very many. */
export function patternsOf(components: readonly string[], patterns: readonly string[]): string[] {
  const any = expression(patterns);
  const fitting = components.filter((component) => any.test(component));
  return fitting.length === 0
    ? []
    : patterns.filter((pattern) => fitting.some((one) => expression([pattern]).test(one)));
}

function expression(patterns: readonly string[]): RegExp {
  const sources = patterns.map((one) => one.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*'));
  return new RegExp(`^(?:${sources.join('|')})$`, 'is');
}
