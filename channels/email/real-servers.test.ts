import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { noDovecot, PASSWORD, startDovecot } from '../../test/fakes/mail/dovecot.ts';
import { noPostfix, startPostfix } from '../../test/fakes/mail/postfix.ts';
import { until } from '../../test/support/until.ts';
import { type Account, ADDRESS, createNotingHost, openAccount, rawMail, startAdapter } from './testing/account.ts';
import { startSmtp } from './testing/smtp.ts';

/** Postfix before Dovecot, with TLS: a person's mail comes in, and the answer lies in their mailbox. */

const skip = noDovecot() ?? noPostfix() ?? false;
const ANN = 'ann@there.test';

function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-cert-'));
  chmodSync(folder, 0o755);
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { cert, key, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

function logOf({ context }: Account): string {
  const file = join(context.folder, 'nanoclaw.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

test('by Dovecot and Postfix, with STARTTLS and a password', { skip, timeout: 90_000 }, async (t) => {
  using tls = certificate();
  await using dovecot = await startDovecot(tls);
  // It wants a password that Postfix has not.
  await using gone = await startSmtp();
  await using postfix = await startPostfix(dovecot, gone.port, tls);
  const servers = {
    IMAP_HOST: 'localhost',
    IMAP_SECURITY: 'starttls',
    SMTP_HOST: 'localhost',
    SMTP_PORT: String(postfix.port),
    SMTP_SECURITY: 'starttls',
  };
  await using bot = await openAccount(servers, dovecot);
  await using ann = await openAccount({ ...servers, ADDRESS: ANN, NAME: 'Ann' }, dovecot);

  await t.test('a certificate that nobody vouches for is refused', async () => {
    await using adapter = await startAdapter(bot, createNotingHost());
    assert.equal(adapter.health?.().state, 'connecting');
    assert.match(adapter.health?.().detail ?? '', /certificate/);
  });

  const before = getCACertificates('default');
  setDefaultCACertificates([...before, readFileSync(tls.cert, 'utf8')]);
  t.after(() => setDefaultCACertificates(before));

  await t.test('there and back', async () => {
    const heard = createNotingHost();
    const annHears = createNotingHost();
    await using adapter = await startAdapter(bot, heard);
    assert.deepEqual(adapter.health?.(), { state: 'connected' });
    await using person = await startAdapter(ann, annHears);
    await bot.put(rawMail('What is for dinner?', { Subject: 'Dinner', 'Message-ID': '<d1@there.test>' }));
    await until(() => heard.events.length === 1);
    const answer = {
      platformId: ANN,
      threadId: '<d1@there.test>',
      text: 'Grüße: **soup** 🍲',
      progress: false,
      files: [],
    };
    assert.equal((await adapter.deliver({ id: 'd1', ...answer })).status, 'sent');
    // Ann's side is this channel too: what an assistant sent is not answered by another one.
    await until(() => /auto-reply/.test(logOf(ann)));
    assert.deepEqual(annHears.events, []);
    assert.ok(person);
  });

  await t.test('what comes back is noted, and wakes nobody', async () => {
    const heard = createNotingHost();
    await using adapter = await startAdapter(bot, heard);
    const message = {
      id: 'd2',
      platformId: 'nobody@gone.test',
      threadId: null,
      text: 'x',
      progress: false,
      files: [],
    };
    const result = await adapter.deliver(message);
    assert.equal(result.status, 'sent');
    await until(() => /a mail of ours came back/.test(logOf(bot)));
    assert.deepEqual(heard.events, []);
  });

  await t.test('no password goes over a line that is open', () => {
    assert.doesNotMatch(`${dovecot.log()}${postfix.log()}`, new RegExp(PASSWORD));
    assert.doesNotMatch(dovecot.log(), /plaintext authentication/i);
    assert.equal(bot.settings.ADDRESS, ADDRESS);
  });
});
