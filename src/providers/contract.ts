/** What the host knows of a provider: `providers/<name>/host.ts` exports `hostProvider: HostProvider`. */

/** How a credential is presented upstream. */
export type CredentialKind = 'api-key' | 'auth-token' | 'oauth-token';

export interface Credential {
  kind: CredentialKind;
  /** Never enters a sandbox, a log or an argument list. */
  secret: string;
}

/** A read-only mount: an absolute path here, an absolute path inside. */
export interface ProviderMount {
  source: string;
  target: string;
}

export type Env = Readonly<Record<string, string | undefined>>;

export interface HostProvider {
  /** The folder's name below `providers/`. */
  readonly name: string;
  /** For a person. */
  readonly displayName: string;
  /** False: it works without an account, and the relay has nothing to add. */
  readonly needsCredential: boolean;
  /** The first one that is set and not blank, by the provider's own precedence. */
  credentialFromEnv(env: Env): Credential | undefined;
  /** Where the model's API really is; undefined for a provider that calls nobody. Throws NC_ENV_INVALID. */
  upstream(env: Env): URL | undefined;
  /** Request headers that present the credential. The relay drops the sandbox's own of these names first. */
  authHeaders(credential: Credential): Readonly<Record<string, string>>;
  /** Names, in lower case, under which a placeholder may stand in a request from the sandbox. */
  readonly authHeaderNames: readonly string[];
  /** Environment inside: placeholders of the same kind, and the relay's address on the sandbox's loopback. */
  containerEnv(kind: CredentialKind | undefined, proxyPort: number): Readonly<Record<string, string>>;
  /** What the sandbox needs of this checkout to run it, read-only. */
  mounts(root: string): readonly ProviderMount[];
  /** Whether all that it needs has been downloaded. */
  installed(root: string): boolean;
}

/** For a screen or a log: enough to recognise a secret, too little to use it. */
export function maskSecret(secret: string): string {
  return secret.length < 20 ? '…' : `${secret.slice(0, 7)}…${secret.slice(-4)}`;
}
