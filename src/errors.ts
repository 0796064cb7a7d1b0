/** Every deliberate error of the host: one table. `docs/errors.md` is made from it, and a test compares them. */

export interface ErrorEntry {
  /** One sentence for a person. */
  sentence: string;
  /** What they can do about it. */
  remedy: string;
  /** Exit status of a command that ends with it: 1 refused or failed, 2 usage or no host. */
  exit: 1 | 2;
}

const table = {
  NC_USAGE: { sentence: 'The command is not written as it should be.', remedy: 'See `ncl help`.', exit: 2 },
  NC_NO_HOST: { sentence: 'The host is not running.', remedy: 'Start it with `ncl start`.', exit: 2 },
  NC_HOST_RUNNING: {
    sentence: 'Another host already runs from this folder.',
    remedy: 'Use it, or stop it with `ncl stop`.',
    exit: 1,
  },
  NC_NOT_FOUND: {
    sentence: 'There is nothing with that name or id.',
    remedy: '`ncl help` has the lists that show what there is.',
    exit: 1,
  },
  NC_AMBIGUOUS: { sentence: 'More than one thing may be meant.', remedy: 'Give the id, or more of it.', exit: 1 },
  NC_DB_CORRUPT: {
    sentence: 'The central database is damaged.',
    remedy: '`ncl restore` puts a backup in its place; data/backups also holds copies of it from before each upgrade.',
    exit: 1,
  },
  NC_DB_NEWER: {
    sentence: 'The central database was written by a newer version.',
    remedy: 'Update this checkout with `git pull`.',
    exit: 1,
  },
  NC_DB_BUSY: {
    sentence: 'Another program holds the central database.',
    remedy: 'Close what writes to data/v2.db, then try again.',
    exit: 1,
  },
  NC_ENV_INVALID: {
    sentence: 'The file .env can not be read.',
    remedy: 'Correct or remove the line that is named, or give this user the right to read the file.',
    exit: 1,
  },
  NC_CLOCK: {
    sentence: "This machine's clock is wrong.",
    remedy: 'Set the date; nothing is started before, since times order messages and certificates expire.',
    exit: 1,
  },
  NC_DATA_FOLDER: {
    sentence: 'A file or folder of this install can not be used.',
    remedy: 'See that it is there, that its disk can be written, and that this user may read and write it.',
    exit: 1,
  },
  NC_DISK_FULL: {
    sentence: 'There is no room left on the disk.',
    remedy: 'Make room, then try again: what was accepted before is kept.',
    exit: 1,
  },
  NC_BACKUP: {
    sentence: 'That backup can not be used.',
    remedy: 'Nothing was changed. Use another one: data/backups may hold some.',
    exit: 1,
  },
  NC_BACKUP_FAILED: {
    sentence: 'No backup was made.',
    remedy: 'Name a new file outside of what is packed, or leave the name out, and try again.',
    exit: 1,
  },
  NC_RESTORE: { sentence: 'Nothing can be restored now.', remedy: 'Nothing was changed: then try again.', exit: 1 },
  NC_MESSAGE_EMPTY: { sentence: 'The message is empty.', remedy: 'Write something.', exit: 1 },
  NC_MESSAGE_TOO_LARGE: {
    sentence: 'The message is too long.',
    remedy: 'Send it in parts of at most 256 KB.',
    exit: 1,
  },
  NC_MESSAGE_DROPPED: {
    sentence: 'No agent took the message.',
    remedy: '`ncl why <channel>/<chat>` says what would change that.',
    exit: 1,
  },
  NC_SOCKET_PATH: {
    sentence: 'The socket can not be made.',
    remedy: 'Remove what stands in its place, or start from the root of the checkout.',
    exit: 1,
  },
  NC_HOST_SILENT: {
    sentence: 'The host runs but does not answer.',
    remedy: 'See `ncl logs`; `ncl stop --force` ends it.',
    exit: 1,
  },
  NC_HOST_DIFFERS: {
    sentence: 'The running host is of another version than this command.',
    remedy: 'Run `ncl restart`.',
    exit: 1,
  },
  NC_HOST_START: {
    sentence: 'The host did not start.',
    remedy: 'Its last lines say why; so does `ncl doctor`.',
    exit: 1,
  },
  NC_HOST_STOP: {
    sentence: 'The host did not stop.',
    remedy: 'See `ncl logs`; `ncl stop --force` kills it.',
    exit: 1,
  },
  NC_SERVICE: {
    sentence: 'The service that keeps the host running is in the way, or refused.',
    remedy: '`ncl service status` says how it is.',
    exit: 1,
  },
  NC_SERVICE_FILE: {
    sentence: "The service's file is not as it was made.",
    remedy: 'Look at it, and move it away. One of this install is removed by `ncl service uninstall --force`.',
    exit: 1,
  },
  NC_TIMEOUT: {
    sentence: 'There was no answer in time.',
    remedy: 'The message is kept: its answer comes to the next `ncl chat`. A longer --timeout waits longer.',
    exit: 1,
  },
  NC_DISCONNECTED: {
    sentence: 'The host went away.',
    remedy: 'What it had taken is kept: `ncl start`, then `ncl chat`, shows the answer.',
    exit: 1,
  },
  NC_SANDBOX_UNUSABLE: {
    sentence: 'No sandbox can be started on this machine.',
    remedy: '`ncl doctor` says what is missing.',
    exit: 1,
  },
  NC_SANDBOX_ENGINE: {
    sentence: 'The container engine can not be used.',
    remedy: '`ncl doctor` says why; what waits is tried again by itself.',
    exit: 1,
  },
  NC_SANDBOX_IMAGE: {
    sentence: 'The image that sandboxes run in is missing.',
    remedy: 'Run `bash container/build.sh`.',
    exit: 1,
  },
  NC_SANDBOX_START: {
    sentence: 'The sandbox did not start.',
    remedy: '`ncl doctor` and `ncl logs` say more.',
    exit: 1,
  },
  NC_PROVIDER_MISSING: {
    sentence: 'The chosen provider is not installed.',
    remedy: 'Run `bash nanoclaw.sh --provider <name>`.',
    exit: 1,
  },
  NC_CREDENTIAL_MISSING: {
    sentence: 'The chosen provider has no credential.',
    remedy: 'Put one into .env, or run `bash nanoclaw.sh` again.',
    exit: 1,
  },
  NC_FORBIDDEN: {
    sentence: 'That is not allowed.',
    remedy: 'What is allowed is up to the owner of this install.',
    exit: 1,
  },
  NC_NOT_DONE: { sentence: 'It was not done.', remedy: '`ncl approvals get` shows how it stands.', exit: 1 },
  NC_EXISTS: { sentence: 'That is there already.', remedy: 'Use it, or choose another name.', exit: 1 },
  NC_IN_USE: {
    sentence: 'More would go with it.',
    remedy: 'With --yes all of that is removed; the audit log stays.',
    exit: 1,
  },
  NC_BUSY: { sentence: 'Too much is asked at once.', remedy: 'Wait a second, then try again.', exit: 1 },
  NC_CHANNEL_SETTINGS: {
    sentence: 'Settings of a channel are missing.',
    remedy: 'Put them into the environment or .env, or give them as NAME=value lines with --from <file> (- is stdin).',
    exit: 2,
  },
  NC_CHANNEL: {
    sentence: 'A channel can not be used.',
    remedy: '`ncl channels list` shows them all, and `ncl channels test` tries one.',
    exit: 1,
  },
  NC_MOUNT: {
    sentence: 'That folder is not given to agents.',
    remedy: '`ncl mounts check` tries it again; docs/mounts.md has the rules.',
    exit: 1,
  },
  NC_INTERNAL: { sentence: 'Something unexpected happened.', remedy: 'The log has the details: `ncl logs`.', exit: 1 },
} as const satisfies Record<string, ErrorEntry>;

export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = table;
export type ErrorCode = keyof typeof table;

/** Whether a code that came over a socket is one of ours. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(table, code);
}

/** The one class that is thrown on purpose. `detail` follows the table's sentence. */
export class NanoError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ? `${ERRORS[code].sentence} ${detail}` : ERRORS[code].sentence, options);
    this.name = 'NanoError';
    this.code = code;
    this.detail = detail;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }

  get exit(): 1 | 2 {
    return ERRORS[this.code].exit;
  }
}

/** What follows the sentence that all of a kind have: for where it stands alone. */
export function reasonOf(error: unknown): string {
  return error instanceof NanoError && error.code === 'NC_CHANNEL' && error.detail ? error.detail : errorText(error);
}

/** The message of whatever was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the file system says when a disk, or this user's part of it, is full. */
export function isNoRoom(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
