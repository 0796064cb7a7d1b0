import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ADDRESS, openAccount, rawMail } from '../../channels/email/testing/account.ts';
import { noDovecot } from '../fakes/mail/dovecot.ts';
import { startHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';
import { until } from '../support/until.ts';

/** A mail to a real host at a real mail server, and what comes back. */

const skip = noDovecot() ?? false;
const TRUSTED = { 'Authentication-Results': 'mx.here.test; dmarc=pass header.from=there.test' };

test('mail in, agent, mail out, in the same thread; killed before the mailbox is noted, it answers once', {
  skip,
  timeout: 180_000,
}, async () => {
  await using account = await openAccount();
  const { smtp } = account;
  let host = await startHost();
  const { home } = host;
  const ok = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await runNcl(home, args);
    assert.equal(status, 0, `ncl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const isConnected = async () => /connected/.test(JSON.stringify(JSON.parse(await ok('channels', 'list', '--json'))));
  const answers = () => smtp.sent.map(({ to, raw }) => ({ to: to[0], raw }));
  try {
    const settings = join(home, 'settings');
    const lines = Object.entries(account.settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(settings, lines.join(''), { mode: 0o600 });
    assert.match(await ok('channels', 'add', 'email', '--from', settings), new RegExp(ADDRESS));
    await until(isConnected);
    await ok('users', 'create', 'email:ann@there.test', '--display-name', 'Ann');
    await ok('members', 'add', 'email:ann@there.test', 'Andy');
    await ok('channels', 'wire', 'email', 'ann@there.test');
    assert.match((await runNcl(home, ['channels', 'wire', 'email', 'Ann'])).stderr, /email knows no chat "Ann"/);

    await account.put(rawMail('hello there', { ...TRUSTED, Subject: 'A question', 'Message-ID': '<q1@there.test>' }));
    await until(() => answers().length === 1, 60_000);
    const [answer] = answers();
    assert.equal(answer?.to, 'ann@there.test');
    assert.match(answer?.raw ?? '', /^Subject: Re: A question\r?$/m);
    assert.match(answer?.raw ?? '', /^In-Reply-To: <q1@there.test>\r?$/m);

    // Ann's name alone opens nothing.
    await account.put(rawMail('let me in', { Subject: 'Forged', 'Message-ID': '<q2@there.test>' }));
    await until(() => host.log().includes('email-unverified:ann@there.test'));

    await host.end('SIGKILL');
    const db = new DatabaseSync(join(home, 'data/v2.db'));
    const row = db.prepare("SELECT value FROM channel_values WHERE instance = 'email' AND key = 'cursor'").get();
    const cursor = JSON.parse(String(row?.value));
    const back = JSON.stringify({ ...cursor, uid: 0 });
    assert.ok(cursor.uid >= 2);
    db.prepare("UPDATE channel_values SET value = ? WHERE instance = 'email' AND key = 'cursor'").run(back);
    db.close();
    await account.put(
      rawMail('and again', { ...TRUSTED, Subject: 'Re: A question', 'In-Reply-To': '<q1@there.test>' }),
    );

    host = await startHost({ home });
    await until(() => answers().filter(({ raw }) => /Re: A question/.test(raw)).length === 2, 60_000);
    const known = answers().filter(({ raw }) => /^In-Reply-To/m.test(raw));
    assert.equal(known.filter(({ raw }) => /^In-Reply-To: <q1@there.test>/m.test(raw)).length, 1);
    assert.equal(answers().filter(({ raw }) => /Forged/.test(raw)).length, 0);
    assert.match(host.log(), /"status":"duplicate"/);
  } finally {
    await host[Symbol.asyncDispose]();
  }
});
