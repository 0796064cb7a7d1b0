import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { diskState } from '../../admin/housekeeping/disk.ts';
import { readLimits } from '../../admin/housekeeping/limits.ts';
import type { Check } from '../../admin/view.ts';
import { readEnvFile } from '../../src/env.ts';
import { ERRORS, errorText } from '../../src/errors.ts';
import { pathsFor } from '../../src/paths.ts';
import { asNanoError } from '../../src/system-error.ts';

const DAY_MS = 86_400_000;
const PROBE_MS = 10_000;

/** What can be seen without a host. Each check says what to do. */
export async function localChecks(root: string, home: string): Promise<Check[]> {
  const { data, env } = pathsFor(home);
  return [
    nodeCheck(),
    await bunCheck(root),
    folderCheck(data),
    diskCheck(existsSync(data) ? data : home),
    clockCheck(Date.now(), statSync(join(root, 'package.json')).mtimeMs),
    envCheck(env),
    ...formerStates(data, Date.now()),
  ];
}

/** What is used is looked for; a version's number says less. */
function nodeCheck(): Check {
  const missing = [
    ...['serialize', 'deserialize', 'setAuthorizer'].filter((name) => !(name in DatabaseSync.prototype)),
    ...(process.features.typescript ? [] : ['TypeScript']),
  ];
  const detail =
    missing.length === 0
      ? `${process.version} has all that is used.`
      : `${process.version} lacks ${missing.join(', ')}.`;
  return {
    name: 'node',
    ok: missing.length === 0,
    blocking: true,
    detail,
    remedy: 'Run `bash nanoclaw.sh`: it brings its own.',
  };
}

async function bunCheck(root: string): Promise<Check> {
  const check = { name: 'bun', blocking: true, remedy: 'Run `bash nanoclaw.sh`: it brings its own.' };
  try {
    const bun = join(root, '.runtime', 'bin', 'bun');
    const { stdout } = await promisify(execFile)(bun, ['--version'], { timeout: PROBE_MS });
    return { ...check, ok: true, detail: `${stdout.trim()} runs.` };
  } catch (error) {
    return { ...check, ok: false, detail: `It does not run: ${errorText(error).split('\n')[0]}.` };
  }
}

function folderCheck(data: string): Check {
  const check = { name: 'data', blocking: true, remedy: ERRORS.NC_DATA_FOLDER.remedy };
  try {
    mkdirSync(data, { recursive: true, mode: 0o711 });
    const probe = join(data, `.probe-${randomUUID()}`);
    writeFileSync(probe, 'x'.repeat(4096));
    rmSync(probe);
    return { ...check, ok: true, detail: `${data} can be written.` };
  } catch (error) {
    // The folder, and not the file that was to be tried there.
    const { message: detail, remedy } = asNanoError(
      Object.assign(new Error(errorText(error), { cause: error }), {
        code: Object(error).code,
        path: data,
      }),
    );
    return { ...check, ok: false, detail, remedy };
  }
}

/** What a restore has put aside is nobody's but the owner's to remove. */
function formerStates(data: string, now: number): Check[] {
  const old = (existsSync(data) ? readdirSync(data) : [])
    .filter((name) => name.startsWith('before-restore-') && statSync(join(data, name)).mtimeMs < now - 7 * DAY_MS)
    .map((name) => join(data, name));
  if (old.length === 0) return [];
  const detail = `What a restore put aside is more than a week old: ${old.join(', ')}.`;
  return [{ name: 'restore', ok: false, blocking: false, detail, remedy: 'Remove what is not needed any more.' }];
}

function diskCheck(folder: string): Check {
  const stats = statfsSync(folder);
  const state = diskState(stats);
  const files = stats.files > 0 && stats.ffree < 10_000 ? `, ${stats.ffree} files` : '';
  const detail = `${Math.floor((stats.bavail * stats.bsize) / 1024 ** 2)} MB are free${files}.`;
  return {
    name: 'disk',
    ok: state === 'enough',
    blocking: state === 'full',
    detail,
    remedy: ERRORS.NC_DISK_FULL.remedy,
  };
}

/** The checkout's own files can't come from the future. Times in milliseconds. */
export function clockCheck(now: number, newestFile: number): Check {
  const ok = now > newestFile - DAY_MS;
  return {
    name: 'clock',
    ok,
    blocking: true,
    detail: `It says ${new Date(now).toISOString()}.`,
    remedy: ERRORS.NC_CLOCK.remedy,
  };
}

function envCheck(path: string): Check {
  const warnings: string[] = [];
  const check = { name: '.env', blocking: false, remedy: `Run \`chmod 600 ${path}\`.` };
  try {
    const settings = readEnvFile(path, (sentence) => warnings.push(sentence));
    const count = Object.keys(settings).length;
    const wrong: string[] = [];
    readLimits({ ...process.env, ...settings }, (sentence) => wrong.push(sentence));
    if (wrong.length > 0)
      return { ...check, ok: false, detail: [...wrong, ...warnings].join(' '), remedy: 'Correct it in `.env`.' };
    const detail = warnings.length > 0 ? 'Other users of this machine may read it.' : `${count} settings.`;
    return { ...check, ok: warnings.length === 0, detail };
  } catch (error) {
    const { message: detail, remedy } = asNanoError(error);
    return { ...check, ok: false, blocking: true, detail, remedy };
  }
}
