import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { z } from 'zod';
import type { DeliveryResult } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import type { EmailSettings } from './settings.ts';

/** One mail to one address, and what surely became of it. */

const CONNECT_MS = 30_000;
const SILENCE_MS = 120_000;

/** `away`: the server isn't there, or doesn't take the password; nothing is wrong with the mail. */
export type Sent = DeliveryResult & { away?: 'unreachable' | 'refused' };

export async function sendMail(
  settings: EmailSettings,
  to: string,
  raw: Readable,
  silenceMs = SILENCE_MS,
): Promise<Sent> {
  let sent = false;
  async function* watched() {
    yield* raw;
    // All of it is on its way: from here on the server may have it.
    sent = true;
  }
  const body = Readable.from(watched(), { objectMode: false, highWaterMark: 1 });
  const connection = await open(settings, silenceMs).catch((error: unknown) => error as Error);
  if (connection instanceof Error) {
    raw.destroy();
    const { error } = failed(connection);
    return {
      status: 'failed',
      retryable: true,
      offline: true,
      error,
      away: isAuth(connection) ? 'refused' : 'unreachable',
    };
  }
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject);
      connection.once('end', () => reject(new Error('The server closed the connection.')));
      connection.send({ from: settings.address, to: [to] }, body, (error) => (error ? reject(error) : resolve()));
    });
    connection.quit();
    return { status: 'sent' };
  } catch (error) {
    connection.close();
    const { responseCode } = Answer.parse(error);
    // A number is the server's own word, also after the whole text: it has refused it.
    if (sent && responseCode === undefined) {
      return { status: 'unknown', error: `The server took the mail and did not answer: ${errorText(error)}` };
    }
    return failed(error);
  } finally {
    raw.destroy();
  }
}

/** Connects and logs in. Rejects with what is in the way. */
export async function checkSmtp(settings: EmailSettings): Promise<void> {
  (await open(settings, CONNECT_MS)).quit();
}

async function open({ smtp, user, password }: EmailSettings, silenceMs: number): Promise<SMTPConnection> {
  const connection = new SMTPConnection({
    host: smtp.host,
    port: smtp.port,
    secure: smtp.security === 'tls',
    requireTLS: smtp.security === 'starttls',
    ignoreTLS: smtp.security === 'none',
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: silenceMs,
    logger: false,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject);
      connection.connect((error) => (error ? reject(error) : resolve()));
    });
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject);
      connection.login({ credentials: { user, pass: password } }, (error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    connection.close();
    throw error;
  }
  // What comes after the answer is nobody's concern; without a listener it would end the process.
  connection.on('error', () => {});
  return connection;
}

const Answer = z
  .object({ responseCode: z.number().optional().catch(undefined), code: z.string().optional().catch(undefined) })
  .catch({});

export function isAuth(error: unknown): boolean {
  const { code, responseCode } = Answer.parse(error);
  return code === 'EAUTH' && (responseCode === undefined || responseCode >= 500);
}

function failed(error: unknown): DeliveryResult & { status: 'failed' } {
  const { responseCode, code } = Answer.parse(error);
  const text = errorText(error).replace(/\s+/g, ' ').slice(0, 500);
  // Also what is wrong with the address, by nodemailer's own look at it.
  const forGood = (responseCode !== undefined && responseCode >= 500) || (code === 'EENVELOPE' && !responseCode);
  // Servers that put a stranger off (greylisting) want a minute and more.
  const wait = responseCode === 450 || responseCode === 451 || responseCode === 421 || responseCode === 452;
  return { status: 'failed', retryable: !forGood, error: text, ...(wait && { retryAfterMs: 60_000 }) };
}
