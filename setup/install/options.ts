import { parseArgs } from 'node:util';

/** What was asked for on the command line. nanoclaw.sh has refused whatever is not among these. */
export interface Options {
  /** Ask nothing. */
  yes: boolean;
  message?: string;
  provider?: string;
  /** What sandboxes are started with. */
  runtime?: string;
  name?: string;
  timezone?: string;
  credentialFile?: string;
  /** A platform to connect, and the file of its settings. */
  channel?: string;
  channelSettings?: string;
  /** Install the service that keeps the host running. */
  service: boolean;
}

export function readOptions(argv: readonly string[]): Options {
  const { tokens } = parseArgs({
    args: [...argv],
    tokens: true,
    strict: false,
    options: {
      yes: { type: 'boolean', short: 'y' },
      service: { type: 'boolean' },
      message: { type: 'string' },
      provider: { type: 'string' },
      runtime: { type: 'string' },
      name: { type: 'string' },
      timezone: { type: 'string' },
      'credential-file': { type: 'string' },
      channel: { type: 'string' },
      'channel-settings': { type: 'string' },
    },
  });
  const given = new Map<string, string>();
  for (const token of tokens) if (token.kind === 'option') given.set(token.name, token.value ?? '');
  const value = (name: string, key: keyof Options) => {
    const text = given.get(name);
    return text === undefined ? {} : { [key]: text };
  };
  return {
    yes: given.has('yes'),
    service: given.has('service'),
    ...value('message', 'message'),
    ...value('provider', 'provider'),
    ...value('runtime', 'runtime'),
    ...value('name', 'name'),
    ...value('timezone', 'timezone'),
    ...value('credential-file', 'credentialFile'),
    ...value('channel', 'channel'),
    ...value('channel-settings', 'channelSettings'),
  };
}
