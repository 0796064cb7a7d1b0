import { once } from 'node:events';
import { connect } from 'node:net';

/** Puts mails into a mailbox, byte for byte, as the server before it would: `RCPT` and `DATA`, one line at a time. */
export async function putMail(
  port: number,
  to: string,
  raws: readonly (string | Buffer)[],
  from = 'someone@outside.test',
) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  let rest = '';
  const lines: string[] = [];
  let wake = () => {};
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\r\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  const answer = async (): Promise<string> => {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined && !/^\d{3}-/.test(line)) return line;
      if (line === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  };
  const say = async (line: string) => {
    socket.write(`${line}\r\n`);
    const said = await answer();
    if (!/^[23]/.test(said)) throw new Error(`${line}: ${said}`);
  };
  await answer();
  await say('LHLO test');
  for (const raw of raws) {
    await say(`MAIL FROM:<${from}>`);
    await say(`RCPT TO:<${to}>`);
    await say('DATA');
    const text = (typeof raw === 'string' ? Buffer.from(raw) : raw).toString('latin1').replace(/\r?\n/g, '\r\n');
    socket.write(text.replace(/(^|\r\n)\./g, '$1..'), 'latin1');
    await say('\r\n.');
  }
  socket.end('QUIT\r\n');
}
