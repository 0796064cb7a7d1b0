import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { PASSWORD } from '../../../test/fakes/mail/dovecot.ts';

/** A mail server that keeps what it is sent, and goes wrong as it is told. */

export interface Sent {
  from: string;
  to: string[];
  raw: string;
}

/**
 * `refused` at the recipient, `put-off` the same for a while; `late-refusal` after the whole mail; `taken` keeps it and
 * breaks the line instead of an answer; `stalled` keeps it and never answers; `cut` breaks the line in the midst of it.
 */
export type SmtpFault =
  | { kind: 'refused' | 'put-off' | 'late-refusal'; code: number }
  | { kind: 'taken' | 'stalled' | 'cut' };

export interface SmtpFake extends AsyncDisposable {
  port: number;
  sent: Sent[];
  /** For the next mail alone. */
  fail(fault: SmtpFault): void;
  /** It goes wrong with the next one. */
  isArmed(): boolean;
  /** Whether it takes the password. */
  locked: boolean;
  close(): Promise<void>;
}

export async function startSmtp(port = 0): Promise<SmtpFake> {
  let fault: SmtpFault | undefined;
  const sockets = new Set<{ destroy(): void }>();
  const sent: Sent[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth({ username, password }, _session, done) {
      if (!fake.locked && password === PASSWORD) done(null, { user: username ?? '' });
      else done(new Error('Wrong password'));
    },
    onRcptTo(_address, _session, done) {
      if (fault?.kind !== 'refused' && fault?.kind !== 'put-off') return done();
      const { code } = fault;
      fault = undefined;
      done(Object.assign(new Error('Not here'), { responseCode: code }));
    },
    onData(stream, session, done) {
      const now = fault;
      fault = undefined;
      const { mailFrom, rcptTo } = session.envelope;
      if (now?.kind === 'cut') {
        stream.once('data', () => breakAll());
        stream.resume();
        return;
      }
      text(stream).then((raw) => {
        if (now?.kind === 'late-refusal') {
          return done(Object.assign(new Error('No'), { responseCode: now.code }));
        }
        sent.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), raw });
        if (now?.kind === 'taken') return breakAll();
        if (now?.kind !== 'stalled') done();
      }, done);
    },
  });
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.on('error', () => {});
  server.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('There is no port.');

  async function close(): Promise<void> {
    if (!server.server.listening) return;
    breakAll();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  const fake: SmtpFake = {
    port: address.port,
    sent,
    locked: false,
    isArmed: () => fault !== undefined,
    fail(next) {
      fault = next;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  return fake;
}
