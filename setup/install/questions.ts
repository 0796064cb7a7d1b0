import { stderr } from 'node:process';
import { cancel, confirm, intro, password, select, text } from '@clack/prompts';
import { isTimezone, localTimezone } from '../../admin/timezone.ts';
import type { Available } from '../../cli/channels/packages.ts';
import type { HostProvider } from '../../src/providers/contract.ts';
import { credentialFromFile, credentialFromText, type EnvChange } from './credential.ts';
import { StepFailure } from './failure.ts';
import type { Options } from './options.ts';

/** Asks on the terminal. stdout stays free for the reply. */
const output = stderr;

export function begin(): void {
  intro('NanoClaw', { output });
}

export async function askName(options: Options): Promise<string> {
  if (options.name !== undefined) return options.name;
  return answered(
    await text({ message: "What is your agent's name?", placeholder: 'Andy', defaultValue: 'Andy', output }),
  );
}

export async function askProvider(options: Options, providers: ReadonlyMap<string, HostProvider>): Promise<string> {
  if (options.provider !== undefined) return options.provider;
  const choices = [...providers.values()].map(({ name, displayName }) => ({ value: name, label: displayName }));
  return answered(await select({ message: 'Who answers?', options: choices, output }));
}

export async function askTimezone(options: Options): Promise<string> {
  if (options.timezone !== undefined) return options.timezone;
  const local = localTimezone();
  return answered(
    await text({
      message: 'Which time zone are you in?',
      placeholder: local,
      defaultValue: local,
      validate: (zone) =>
        !zone || isTimezone(zone) ? undefined : 'There is no such zone; an example is Europe/Berlin.',
      output,
    }),
  );
}

/** Whoever leaves this question out has an agent that answered: that is no reason to end with a failure. */
export async function askService(): Promise<boolean> {
  const message = 'Keep it running, also after a crash, a logout or a reboot? (`bin/ncl service uninstall` undoes it.)';
  const answer = await confirm({ message, initialValue: true, output });
  return answer === true;
}

/** An engine is an administrator's matter: nothing happens unless somebody wants it. */
export async function askEngine(commands: readonly string[]): Promise<boolean> {
  const message = [
    'No container engine is installed. Sandboxes run in bubblewrap, which needs none. Install one? It runs:',
    ...commands.map((line) => `  ${line}`),
  ].join('\n');
  return (await confirm({ message, initialValue: false, output })) === true;
}

/** What most people look for stands above. */
const FIRST = ['telegram', 'web', 'discord', 'slack', 'email'];

/** Whoever leaves this question out stays at the terminal. */
export async function askChannel(available: readonly Available[]): Promise<string | undefined> {
  const place = ({ manifest }: Available) => FIRST.indexOf(manifest.name) + 1 || FIRST.length + 1;
  const sorted = available.toSorted((one, other) => place(one) - place(other));
  const choices = sorted.map(({ manifest: { name, title, downloadMb }, installed }) => ({
    value: name,
    label: `${title} (${installed || downloadMb === 0 ? 'downloads nothing' : `downloads ${downloadMb} MB`})`,
  }));
  const answer = await select({
    message: 'Where else do you want to talk to it? (`bin/ncl channels add` does it later.)',
    options: [{ value: '', label: 'Nowhere for now' }, ...choices],
    output,
  });
  return typeof answer === 'string' && answer !== '' ? answer : undefined;
}

export async function askToGoOn(account: string, why: string): Promise<boolean> {
  const sentence = /[.!?]$/.test(why) ? why : `${why}.`;
  const answer = await confirm({ message: `${account} is not finished. ${sentence} Go on with it?`, output });
  return answer === true;
}

/** Never shown, never an argument. */
export async function askCredential(provider: HostProvider): Promise<EnvChange> {
  const way = answered(
    await select({
      message: `How do you sign in to ${provider.displayName}?`,
      options: [
        { value: 'type', label: 'Paste an API key, or a token made by `claude setup-token`' },
        { value: 'file', label: 'Take it from a file' },
      ],
      output,
    }),
  );
  if (way === 'file') {
    const path = answered(
      await text({
        message: 'Where is the file?',
        validate: complaint((given) => credentialFromFile(given, provider)),
        output,
      }),
    );
    return credentialFromFile(path, provider);
  }
  return credentialFromText(
    answered(await password({ message: 'Key or token', validate: complaint(credentialFromText), output })),
  );
}

function complaint(read: (given: string) => EnvChange): (given: string | undefined) => string | undefined {
  return (given) => {
    try {
      read(given ?? '');
      return undefined;
    } catch (error) {
      if (error instanceof StepFailure) return error.message;
      throw error;
    }
  };
}

function answered<T extends string>(answer: T | symbol): T {
  if (typeof answer === 'string') return answer;
  cancel('Cancelled. What is installed stays; when you run it again, it asks these questions again.', { output });
  process.exit(1);
}
