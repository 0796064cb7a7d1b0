/** What an engine's silence or refusal means, and what to do: from what was seen to a sentence. Pure. */
import { z } from 'zod';
import { type ErrorCode, errorText, NanoError } from '../../src/errors.ts';
import type { Reply } from './http.ts';

export interface Diagnosis {
  code: ErrorCode;
  reason: string;
  remedy: string;
}

/** 20.10, and what Podman 4 says that it is. */
export const OLDEST_API = '1.41';
/** What was tried here; a newer engine is spoken to in it, unless it has given it up. */
export const NEWEST_API = '1.47';

/** The first program of every sandbox, from the image. */
const INIT = '/usr/bin/tini';

interface Remedies {
  start: string;
  rights: string;
}

/** Where the path doesn't say whose it is. */
const ANY: Remedies = {
  start:
    'Start it: `sudo systemctl start docker`; Podman: `systemctl --user start podman.socket`; or start Docker Desktop. If it listens elsewhere, set DOCKER_HOST to unix:// and its path, for Podman CONTAINER_HOST.',
  rights:
    'Run `sudo usermod -aG docker "$USER"` and log in again (who may use it is root in effect), or set up a rootless engine.',
};
const PODMAN: Remedies = {
  start:
    'Start it: `systemctl --user start podman.socket`; that of root: `sudo systemctl start podman.socket`. If it listens elsewhere, set CONTAINER_HOST to unix:// and its path.',
  rights:
    "Use this user's own: `systemctl --user start podman.socket`, and let CONTAINER_HOST name no other. That of root is for root alone.",
};

const remediesAt = (socket: string): Remedies => (/podman/i.test(socket) ? PODMAN : ANY);

export class EngineTrouble extends NanoError {
  readonly diagnosis: Diagnosis;

  constructor(diagnosis: Diagnosis, options?: ErrorOptions) {
    super(diagnosis.code, `${diagnosis.reason} ${diagnosis.remedy}`.trim(), options);
    this.diagnosis = diagnosis;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Nobody answered. */
export function unreachable(socket: string, error: unknown): EngineTrouble {
  const say = (reason: string, remedy: string) =>
    new EngineTrouble({ code: 'NC_SANDBOX_ENGINE', reason, remedy }, { cause: error });
  const { start, rights } = remediesAt(socket);
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return say(`There is no container engine at ${socket}.`, start);
    case 'ECONNREFUSED':
      return say(`The container engine at ${socket} is not running.`, start);
    case 'EACCES':
    case 'EPERM':
      return say(`This user may not use the container engine at ${socket}.`, rights);
    case 'ECONNRESET':
    case 'EPIPE':
      return say(
        `The container engine at ${socket} went away in the middle of a request.`,
        'If it is being restarted or updated, this heals by itself.',
      );
    default:
      return say(`The container engine at ${socket} does not answer: ${errorText(error)}.`, start);
  }
}

const refusal = z
  .object({ message: z.string() })
  .or(z.object({ cause: z.string() }).transform(({ cause }) => ({ message: cause })));

export function messageOf({ status, body }: Reply): string {
  const known = refusal.safeParse(body).data?.message ?? (typeof body === 'string' ? body : '');
  return known.trim() || `status ${status}`;
}

/** Only Podman says its own status in a refusal. */
const commandOf = ({ body }: Reply): 'docker' | 'podman' =>
  z.object({ response: z.number() }).safeParse(body).success ? 'podman' : 'docker';

const ended = (said: string): string => (/[.!?]$/.test(said) ? said : `${said}.`);

/** It answered, and did not do it. `image` is what was to be run. */
export function refused(reply: Reply, image: string): EngineTrouble {
  const said = messageOf(reply);
  const command = commandOf(reply);
  const say = (code: ErrorCode, reason: string, remedy: string) => new EngineTrouble({ code, reason, remedy });
  if (said.includes(INIT) && /no such file|not found|no such executable/i.test(said)) {
    return say(
      'NC_SANDBOX_UNUSABLE',
      `The image ${image} is not one that sandboxes can run in: it has no ${INIT}.`,
      'Make one with `bash container/build.sh`, or take NANOCLAW_IMAGE away.',
    );
  }
  if (
    /no such image|image not known|unable to find image/i.test(said) ||
    (reply.status === 404 && said.includes(image))
  ) {
    return say('NC_SANDBOX_IMAGE', `The image ${image} is not there.`, 'Run `bash container/build.sh`.');
  }
  if (/client version [\d.]+ is too (?:old|new)/i.test(said)) {
    return say(
      'NC_SANDBOX_UNUSABLE',
      `The engine does not speak the version of its API that it is spoken to in: ${ended(said)}`,
      'After an upgrade this heals by itself; else run `git pull`.',
    );
  }
  if (/no space left on device|disk quota exceeded/i.test(said)) {
    return say(
      'NC_DISK_FULL',
      `The container engine's disk is full: ${ended(said)}`,
      `\`${command} system df\` shows what takes it, and \`${command} system prune\` removes what nothing uses.`,
    );
  }
  if (/unknown or invalid runtime|runtime .* not found|invalid runtime name/i.test(said)) {
    return say(
      'NC_SANDBOX_UNUSABLE',
      `The engine does not have that runtime: ${ended(said)}`,
      `Name one that \`${command} info\` lists.`,
    );
  }
  if (/subuid|subgid|newuidmap|insufficient UIDs|not enough ids/i.test(said)) {
    return new EngineTrouble(noSubordinateIds(said));
  }
  return say('NC_SANDBOX_START', said, '');
}

export function noSubordinateIds(said: string): Diagnosis {
  return {
    code: 'NC_SANDBOX_UNUSABLE',
    reason: `This user has no subordinate ids, which a rootless engine needs: ${ended(said)}`,
    remedy:
      'Run `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"`, then `podman system migrate` or a restart of the engine.',
  };
}

/** Why this engine's API can't be used, or null. */
export function refuseVersion(api: string): Diagnosis | null {
  if (compareVersions(api, OLDEST_API) >= 0) return null;
  return {
    code: 'NC_SANDBOX_UNUSABLE',
    reason: `The container engine is too old: its API is ${api}, and ${OLDEST_API} is needed (Docker 20.10, Podman 4).`,
    remedy: 'Update the engine, or use the bubblewrap driver.',
  };
}

export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (const at of [0, 1]) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
