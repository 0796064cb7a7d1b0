import type { Address } from './address.ts';

/** A mail as it was read. Everything in it is untrusted. */
export interface Mail {
  headers: Headers;
  /** Only when there is one From header with one address. */
  from: Address | undefined;
  to: readonly Address[];
  cc: readonly Address[];
  subject: string;
  /** ISO-8601 UTC: what the sender says, when it is a time. */
  date: string | undefined;
  messageId: string | undefined;
  inReplyTo: string | undefined;
  references: readonly string[];
  text: string | undefined;
  html: string | undefined;
  files: readonly MailFile[];
  /** Names of attachments that were not kept, with the reason. */
  leftOut: readonly string[];
  /** Message ids of our own kind that stand anywhere in it. */
  mentioned: readonly string[];
}

export interface MailFile {
  name: string;
  mimeType: string;
  size: number;
  path: string;
}

/** The header lines of the mail itself, the topmost first; names in lower case, values unfolded. */
export interface Headers {
  all(name: string): readonly string[];
  first(name: string): string | undefined;
}
