import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Check } from '../../admin/view.ts';
import { errorText } from '../../src/errors.ts';
import type { Running } from '../answers.ts';

const Module = z.object({ hostProvider: z.object({ installed: z.custom<(root: string) => boolean>(isFunction) }) });

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** Each provider that an agent uses must be downloaded; with no host to ask, any one will do. */
export async function providerCheck(root: string, report: Running | undefined): Promise<Check> {
  const names = readdirSync(join(root, 'providers')).filter((name) => existsSync(hostFile(root, name)));
  const problems = new Map<string, string>();
  for (const name of names) {
    const problem = await problemOf(root, name);
    if (problem) problems.set(name, problem);
  }
  const used = new Set(report?.agents.map(({ provider }) => provider) ?? []);
  const missing = [...used].filter((name) => !names.includes(name) || problems.has(name));
  const ready = names.filter((name) => !problems.has(name));
  const detail = [
    `Installed: ${ready.join(', ') || 'none'}.`,
    ...[...problems].map(([name, why]) => `${name}: ${why}.`),
  ];
  const remedy = `Run \`bash nanoclaw.sh --provider ${missing[0] ?? 'demo'}\`.`;
  return {
    name: 'provider',
    ok: missing.length === 0 && ready.length > 0,
    blocking: true,
    detail: detail.join(' '),
    remedy,
  };
}

async function problemOf(root: string, name: string): Promise<string | undefined> {
  try {
    const { hostProvider } = Module.parse(await import(pathToFileURL(hostFile(root, name)).href));
    return hostProvider.installed(root) ? undefined : 'not downloaded';
  } catch (error) {
    return errorText(error);
  }
}

function hostFile(root: string, name: string): string {
  return join(root, 'providers', name, 'host.ts');
}
