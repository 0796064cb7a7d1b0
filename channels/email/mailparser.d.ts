/** The part of mailparser that is used: it brings no types. */
declare module 'mailparser' {
  import type { Readable, Transform } from 'node:stream';

  export interface MailAttachment {
    type: 'attachment';
    content: Readable;
    contentType?: string;
    filename?: string;
    headers: Map<string, unknown>;
    release(): void;
  }

  export interface MailText {
    type: 'text';
    text?: string;
    html?: string;
  }

  export interface MailParserOptions {
    skipHtmlToText?: boolean;
    skipTextToHtml?: boolean;
    skipTextLinks?: boolean;
    skipImageLinks?: boolean;
    maxHeadSize?: number;
    maxChildNodes?: number;
  }

  /** Its data are `MailAttachment`s, each to be read and released, then one `MailText`. */
  export class MailParser extends Transform {
    constructor(options?: MailParserOptions);
    headers: Map<string, unknown> | false;
    headerLines: readonly { key: string; line: string }[] | false;
  }

  /** All of a mail in memory, for tests. */
  export function simpleParser(raw: string): Promise<{
    text?: string;
    html?: string | false;
    references?: string | string[];
    messageId?: string;
    attachments: readonly { filename?: string; size: number }[];
  }>;
}
