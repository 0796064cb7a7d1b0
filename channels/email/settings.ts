import { z } from 'zod';
import { NanoError } from '../../src/errors.ts';
import { domainOf, plainAddress, plainName } from './mail/address.ts';

export type Security = 'tls' | 'starttls' | 'none';

export interface Server {
  host: string;
  port: number;
  security: Security;
}

export interface EmailSettings {
  address: string;
  /** All addresses that are our own. */
  own: ReadonlySet<string>;
  name: string;
  user: string;
  password: string;
  imap: Server;
  smtp: Server;
  folder: string;
  /** What our server calls itself in Authentication-Results. */
  authservId: string | undefined;
  repliesPerHour: number;
}

interface Provider {
  imap: string;
  smtp: string;
  smtpPort?: number;
  authservId?: string;
}

const GMAIL: Provider = { imap: 'imap.gmail.com', smtp: 'smtp.gmail.com', authservId: 'mx.google.com' };
const ICLOUD: Provider = { imap: 'imap.mail.me.com', smtp: 'smtp.mail.me.com', smtpPort: 587 };
const PROVIDERS: ReadonlyMap<string, Provider> = new Map([
  ['gmail.com', GMAIL],
  ['googlemail.com', GMAIL],
  ['icloud.com', ICLOUD],
  ['me.com', ICLOUD],
  ['mac.com', ICLOUD],
  ['fastmail.com', { imap: 'imap.fastmail.com', smtp: 'smtp.fastmail.com' }],
  ['yahoo.com', { imap: 'imap.mail.yahoo.com', smtp: 'smtp.mail.yahoo.com' }],
  ['gmx.net', { imap: 'imap.gmx.net', smtp: 'mail.gmx.net' }],
  ['gmx.de', { imap: 'imap.gmx.net', smtp: 'mail.gmx.net' }],
  ['web.de', { imap: 'imap.web.de', smtp: 'smtp.web.de' }],
]);

const Host = z.string().regex(/^[a-zA-Z0-9.:-]{1,253}$/, 'is no name of a server');
const Port = z.coerce.number().int().min(1).max(65_535);
const Secure = z.enum(['tls', 'starttls', 'none']);
const Given = z.object({
  ADDRESS: z
    .string()
    .transform((text) => plainAddress(text) ?? '')
    .refine((text) => text !== '', 'is no mail address'),
  PASSWORD: z.string().min(1, 'is empty'),
  USER: z.string().min(1).optional(),
  NAME: z.string().transform(plainName).optional(),
  IMAP_HOST: Host.optional(),
  IMAP_PORT: Port.optional(),
  IMAP_SECURITY: Secure.optional(),
  SMTP_HOST: Host.optional(),
  SMTP_PORT: Port.optional(),
  SMTP_SECURITY: Secure.optional(),
  FOLDER: z.string().min(1).max(200).default('INBOX'),
  AUTHSERV_ID: z.string().regex(/^\S+$/, 'holds a space').optional(),
  ALIASES: z.string().default(''),
  REPLIES_PER_HOUR: z.coerce.number().int().min(1).default(20),
});

export function readSettings(given: Readonly<Record<string, string>>): EmailSettings {
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value.trim() !== ''));
  const read = Given.safeParse(filled);
  if (!read.success) {
    const [issue] = read.error.issues;
    const name = String(issue?.path[0]);
    throw wrong(name in filled ? `${name} ${issue?.message}.` : `${name} is missing.`);
  }
  const { ADDRESS: address, USER, ...rest } = read.data;
  const domain = domainOf(address);
  const known = PROVIDERS.get(domain);
  const aliases = rest.ALIASES.split(',').filter((text) => text.trim() !== '');
  const plain = aliases.map((text) => plainAddress(text.trim()));
  const bad = plain.indexOf(undefined);
  if (bad >= 0) throw wrong(`ALIASES: ${aliases[bad]?.trim()} is no mail address.`);
  const smtpPort = rest.SMTP_PORT ?? known?.smtpPort ?? (rest.SMTP_SECURITY === 'starttls' ? 587 : 465);
  const imapPort = rest.IMAP_PORT ?? (rest.IMAP_SECURITY === 'starttls' ? 143 : 993);
  return {
    address,
    own: new Set([address, ...plain.filter((one) => one !== undefined)]),
    name: rest.NAME || 'NanoClaw',
    user: USER ?? address,
    password: rest.PASSWORD,
    imap: server(rest.IMAP_HOST ?? known?.imap ?? `imap.${domain}`, imapPort, rest.IMAP_SECURITY ?? 'tls'),
    smtp: server(
      rest.SMTP_HOST ?? known?.smtp ?? `smtp.${domain}`,
      smtpPort,
      rest.SMTP_SECURITY ?? (smtpPort === 465 ? 'tls' : 'starttls'),
    ),
    folder: rest.FOLDER,
    authservId: rest.AUTHSERV_ID ?? known?.authservId,
    repliesPerHour: rest.REPLIES_PER_HOUR,
  };
}

/** A password goes over an open line on this machine alone. */
function server(host: string, port: number, security: Security): Server {
  if (security === 'none' && !/^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host)) {
    throw wrong(`${host} is not this machine: its password would be readable on the way. Use tls or starttls.`);
  }
  return { host, port, security };
}

function wrong(detail: string): NanoError {
  return new NanoError('NC_USAGE', detail);
}
