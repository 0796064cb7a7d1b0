import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { LAST_PROVIDER } from '../../assistant/model/decide.ts';
import { readEnvFile } from '../../src/env.ts';
import { pathsFor } from '../../src/paths.ts';
import type { Env, HostProvider } from '../../src/providers/contract.ts';
import { answerFirstMessage, answerMessage } from './answer.ts';
import { offerChannel } from './channel.ts';
import { ncl } from './command.ts';
import { credentialFromFile, credentialLines, type EnvChange } from './credential.ts';
import { changeEnvFile } from './env-file.ts';
import { StepFailure } from './failure.ts';
import { endOnInterrupt } from './interrupt.ts';
import { type Options, readOptions } from './options.ts';
import { installProvider, loadProviders } from './providers.ts';
import { settleRuntime } from './runtime.ts';
import { offerService } from './service.ts';
import { Steps, say } from './steps.ts';

const Agent = z.object({ name: z.string(), provider: z.string(), created: z.boolean(), changed: z.array(z.string()) });
const Diagnosis = z.object({
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      blocking: z.boolean(),
      detail: z.string(),
      remedy: z.string().optional(),
    }),
  ),
});
const CODE_MINUTES = 24 * 60;
const Started = z.object({ pid: z.number(), started: z.boolean() });

/** From installed packages to an answered message. Each step looks first; what is in place stays as it is. */
export async function setUp(root: string, argv: readonly string[], stepsDone: number): Promise<void> {
  endOnInterrupt();
  const steps = new Steps(root, stepsDone);
  const providers = await loadProviders(root);
  const given = readOptions(argv);
  const isNew = !existsSync(pathsFor(root).db);
  const kept = await readSettings(steps, root);
  const options = isNew && !given.yes ? await askForAll(given, providers) : given;
  const wanted = options.provider ?? (isNew ? firstProvider(kept, providers) : undefined);
  const usable = (name: string) => makeUsable(steps, root, options, kept, providers.get(name));

  // A provider that was asked for must be usable before the agent is given to it.
  const early = wanted === undefined ? undefined : await usable(wanted);
  const runtimeChanged = await settleRuntime(steps, root, options, kept, isNew);
  const agent = await makeAgent(steps, options, wanted);
  // One that has none of its own has that of the install.
  const provider = agent.provider || kept.NANOCLAW_PROVIDER || LAST_PROVIDER;
  const credentialChanged = early ?? (await usable(provider));
  await endOutdatedHost(steps, root, credentialChanged || runtimeChanged || agent.changed.length > 0);
  await checkSandbox(steps);
  await startHost(steps);

  if (options.message !== undefined) await answerMessage(steps, root, options.message);
  else {
    await answerFirstMessage(steps, root, agent.name);
    const isTold = await offerChannel(steps, root, options);
    if (isNew && options.yes && !isTold) await sayOwnerCode(root);
  }
  await offerService(steps, options, (isNew || options.message === undefined) && !options.yes);
}

async function askForAll(options: Options, providers: ReadonlyMap<string, HostProvider>): Promise<Options> {
  // Loaded only where somebody is there to be asked.
  const { askName, askProvider, askTimezone, begin } = await import('./questions.ts');
  begin();
  return {
    ...options,
    name: await askName(options),
    provider: await askProvider(options, providers),
    timezone: await askTimezone(options),
  };
}

function readSettings(steps: Steps, root: string): Promise<Env> {
  return steps.run('settings', async () => {
    const kept = readEnvFile(pathsFor(root).env, say);
    const count = Object.keys(kept).length;
    return { detail: count === 0 ? 'none in .env' : `${count} in .env`, value: kept };
  });
}

/** One that has a credential; without any, the one that needs none. */
function firstProvider(kept: Env, providers: ReadonlyMap<string, HostProvider>): string {
  const able = [...providers.values()].find((provider) => provider.needsCredential && hasCredential(provider, kept));
  return able?.name ?? 'demo';
}

function hasCredential(provider: HostProvider, kept: Env): boolean {
  return [process.env, kept].some((env) => provider.credentialFromEnv(env) !== undefined);
}

/** Its credential is in .env, and what it runs on is here. Resolves with whether .env was changed. */
async function makeUsable(
  steps: Steps,
  root: string,
  options: Options,
  kept: Env,
  provider: HostProvider | undefined,
): Promise<boolean> {
  if (!provider) throw new Error('The agent has a provider that this checkout lacks.');
  const changed = provider.needsCredential && (await keepCredential(steps, root, options, kept, provider));
  if (!provider.installed(root)) await installProvider(steps, root, provider);
  return changed;
}

async function keepCredential(
  steps: Steps,
  root: string,
  { yes, credentialFile }: Options,
  kept: Env,
  provider: HostProvider,
): Promise<boolean> {
  const isAsked = !yes && credentialFile === undefined && !hasCredential(provider, kept);
  const typed = isAsked ? await (await import('./questions.ts')).askCredential(provider) : undefined;
  return steps.run('credential', async () => {
    const given =
      typed ?? (credentialFile === undefined ? credentialLines(provider, process.env) : fromFile(credentialFile));
    if (!given && !provider.credentialFromEnv(kept)) throw missing(provider);
    const written = given !== undefined && changeEnvFile(pathsFor(root).env, given);
    return { detail: written ? 'kept in .env, which only you can read' : 'in .env, as it was', value: written };
  });

  function fromFile(path: string): EnvChange {
    return credentialFromFile(resolve(process.env.NANOCLAW_SETUP_CWD ?? '.', path), provider);
  }
}

function missing(provider: HostProvider): StepFailure {
  return new StepFailure(
    `${provider.displayName} needs a credential, and there is none in the environment nor in .env.`,
    'Set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN, or give --credential-file PATH. Without an account: --provider demo.',
  );
}

function makeAgent(
  steps: Steps,
  { name, timezone }: Options,
  provider: string | undefined,
): Promise<z.infer<typeof Agent>> {
  const flags = Object.entries({ name, timezone, provider }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}=${value}`],
  );
  return steps.run('agent', async (log) => {
    // Its first words are the answer to the message that ends a setup.
    const agent = await ncl(['init-first-agent', '--no-welcome', ...flags], Agent, log);
    const news = agent.created
      ? 'made'
      : agent.changed.length > 0
        ? `changed: ${agent.changed.join(', ')}`
        : 'as it was';
    return { detail: `${agent.name}, ${agent.provider}; ${news}`, value: agent };
  });
}

/** A host reads its settings when it starts; also an earlier run may have changed them and come no further. */
async function endOutdatedHost(steps: Steps, root: string, changed: boolean): Promise<void> {
  const { env, adminSocket } = pathsFor(root);
  const changedAt = statSync(env, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // Made by the host at its start.
  const startedAt = statSync(adminSocket, { throwIfNoEntry: false })?.mtimeMs;
  if (startedAt === undefined || !(changed || changedAt > startedAt)) return;
  await steps.run('restart', async (log) => {
    await ncl(['stop'], z.object({}), log);
    return { detail: 'ended the host that had older settings', value: undefined };
  });
}

async function checkSandbox(steps: Steps): Promise<void> {
  await steps.run('sandbox', async (log) => {
    const { checks } = await ncl(['doctor'], Diagnosis, log);
    const bad = checks.find(({ ok, blocking }) => blocking && !ok);
    if (bad) throw new StepFailure(`${bad.name}: ${bad.detail}`, bad.remedy ?? '`bin/ncl doctor` says more.');
    return { detail: `${checks.filter(({ ok }) => ok).length} checks passed`, value: undefined };
  });
}

async function startHost(steps: Steps): Promise<void> {
  await steps.run('host', async (log) => {
    const { pid, started } = await ncl(['start'], Started, log);
    return { detail: started ? `started, process ${pid}` : `runs already, process ${pid}`, value: undefined };
  });
}

/** Whoever has set this up owns it at this machine; in another app the code says who they are. It is in no log. */
async function sayOwnerCode(root: string): Promise<void> {
  const { issueOwnerCode } = await import('../../admin/people/issue-owner-code.ts');
  const { code } = issueOwnerCode(root, undefined, CODE_MINUTES);
  say(
    `  Owner code for another app: ${code}. Send it to the bot there, alone, within a day. Another: bin/ncl owner-code`,
  );
}
