/** What the vault throws on purpose, by the codes of the host's table: this package stands apart from it. */
export class VaultError extends Error {
  readonly code: 'NC_ENV_INVALID' | 'NC_SOCKET_PATH';

  constructor(code: VaultError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VaultError';
    this.code = code;
  }
}

export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
