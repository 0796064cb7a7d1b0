import { readEnvFile } from '../../src/env.ts';
import { pathsFor } from '../../src/paths.ts';
import type { Settings } from './choice.ts';

/** What an install's `.env` says, what the environment says, and both as a host reads them. Throws NC_ENV_INVALID. */
export function readSettings(home: string): { file: Settings; environment: Settings; all: Settings } {
  const file = readEnvFile(pathsFor(home).env);
  return { file, environment: process.env, all: { ...process.env, ...file } };
}
