import { readFileSync, statSync } from 'node:fs';
import { parseEnv } from '../../src/env.ts';
import type { Credential, CredentialKind, Env, HostProvider } from '../../src/providers/contract.ts';
import { StepFailure } from './failure.ts';

const VARIABLES: Readonly<Record<CredentialKind, string>> = {
  'auth-token': 'ANTHROPIC_AUTH_TOKEN',
  'api-key': 'ANTHROPIC_API_KEY',
  'oauth-token': 'CLAUDE_CODE_OAUTH_TOKEN',
};
const BASE_URL = 'ANTHROPIC_BASE_URL';
const MAX_FILE_BYTES = 65_536;
/** A secret alone may end in the padding of Base64, and `=` is nowhere else in it. */
const SECRET = /^[!-<>-~]{20,}={0,2}$/;
const ASSIGNMENT = /^\s*(?:export\s+)?(?:[A-Z_][A-Z0-9_]*\s*=|[A-Za-z_]\w*\s*=(?!=*\s*$))/m;

export const CREDENTIAL_NAMES: readonly string[] = [...Object.values(VARIABLES), BASE_URL];

/** Lines of `.env`: undefined takes one away. */
export type EnvChange = Readonly<Record<string, string | undefined>>;

/** What a provider finds in the environment or in a file, as lines of `.env`; undefined when there is none. */
export function credentialLines(provider: HostProvider, env: Env): EnvChange | undefined {
  const credential = provider.credentialFromEnv(env);
  if (!credential) return undefined;
  const baseUrl = env[BASE_URL]?.trim();
  return { ...linesFor(credential), ...(baseUrl ? { [BASE_URL]: baseUrl } : {}) };
}

/** One credential is enough: another kind, left from before, could win over the one that was just given. */
function linesFor({ kind, secret }: Credential): EnvChange {
  const none = Object.fromEntries(Object.values(VARIABLES).map((name) => [name, undefined]));
  return { ...none, [VARIABLES[kind]]: secret };
}

/** A key or token alone, told apart by how it begins. Throws StepFailure without any of the text. */
export function credentialFromText(text: string): EnvChange {
  const secret = text.trim();
  if (!SECRET.test(secret) || ASSIGNMENT.test(secret)) {
    throw new StepFailure(
      'That is not a key or a token: one has 20 characters or more, and no blanks or "=" among them.',
      'Copy it again, in one piece.',
    );
  }
  const kind = secret.startsWith('sk-ant-oat') ? 'oauth-token' : 'api-key';
  return linesFor({ kind, secret });
}

/** A file with the secret alone, or with NAME=value lines. Throws StepFailure without any of the content. */
export function credentialFromFile(path: string, provider: HostProvider): EnvChange {
  const text = readSmallFile(path);
  if (!ASSIGNMENT.test(text)) return credentialFromText(text);
  const lines = credentialLines(provider, parseEnv(text).values);
  // Any length: a gateway may have short ones.
  if (lines && Object.values(lines).every((value) => value === undefined || /^[!-~]+$/.test(value))) return lines;
  throw new StepFailure(
    `${path} has no credential for ${provider.displayName}.`,
    `Give it one line, such as ANTHROPIC_API_KEY=…; it may set ${CREDENTIAL_NAMES.join(', ')}.`,
  );
}

function readSmallFile(path: string): string {
  try {
    if (statSync(path).size <= MAX_FILE_BYTES) return readFileSync(path, 'utf8');
  } catch {
    // Below: which of the reasons it is makes no difference to what can be done.
  }
  throw new StepFailure(`${path} can't be read as a file with a credential.`, 'Look whether it is there, and yours.');
}
