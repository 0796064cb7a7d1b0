import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerConfig } from '@nanoclaw/protocol';
import { EFFORTS } from '../../src/groups/efforts.ts';
import type { InForce } from '../model/decide.ts';

/** The host's own files in what is mounted as /app/group: a reader has the old one or the new one, whole. */

export function writeConfig(folder: string, config: ContainerConfig): void {
  replace(join(folder, 'container.json'), `${JSON.stringify(config, null, 2)}\n`);
}

/** Undefined before the first start. */
export function readConfig(folder: string): ContainerConfig | undefined {
  const file = join(folder, 'container.json');
  return existsSync(file) ? ContainerConfig.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

export function writeInstructions(folder: string, text: string): void {
  replace(join(folder, 'CLAUDE.md'), text);
}

/** With the model and the effort that are in force, and no others. */
export function withModel(
  { model: _model, effort: _effort, ...config }: ContainerConfig,
  force: InForce,
): ContainerConfig {
  const effort = EFFORTS.find((one) => one === force.effort.value);
  return { ...config, ...(force.model.value && { model: force.model.value }), ...(effort && { effort }) };
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  // The agent's uid reads it; the host's umask is narrower.
  chmodSync(`${file}.new`, 0o644);
  renameSync(`${file}.new`, file);
}
