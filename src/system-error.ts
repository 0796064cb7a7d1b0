import { errorText, isNoRoom, NanoError } from './errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no right to it',
  EPERM: 'this user has no right to it',
  EROFS: 'it is read-only',
  ENOENT: 'it is not there',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'its links lead in a circle',
};

/** Whatever was thrown, as an error of the table: what the file system refuses is NC_DATA_FOLDER or NC_DISK_FULL, with the path. */
export function asNanoError(thrown: unknown): NanoError {
  if (thrown instanceof NanoError) return thrown;
  const { code, path, address } = Object(thrown) as Readonly<Record<string, unknown>>;
  if (isNoRoom(thrown)) return new NanoError('NC_DISK_FULL', path === undefined ? undefined : `${path}.`);
  const reason = REASONS[String(code)];
  if (reason) return new NanoError('NC_DATA_FOLDER', `${path ?? address ?? 'The output'}: ${reason}.`);
  return new NanoError('NC_INTERNAL', errorText(thrown));
}
