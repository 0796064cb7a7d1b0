import assert from 'node:assert/strict';
import { createReadStream, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { READ_LIMITS, readMail } from '../../channels/email/mail/read.ts';
import { readSettings } from '../../channels/email/settings.ts';
import { openThreads } from '../../channels/email/threads.ts';
import { type Become, becomes, MAILS, mailNames } from './email-mails.ts';

/** What becomes of each mail in test/fakes/mail/eml. Left out below: it is taken as Ann wrote it, from nobody known. */

const ANN = 'ann@there.test';
const WORDS = 'Subject: Dinner\n\nShall we have dinner on Friday?';
const known = { sender: `email:${ANN}` };
const answer = (text: string, more: Become = {}): Become => ({ text, thread: '<r1@here.test>', ...more });

const TABLE: Record<string, Become> = {
  'alias-mail': { dropped: 'own-mail' },
  'own-mail': { dropped: 'own-mail' },
  vacation: { dropped: 'auto-reply' },
  'exchange-ooo': { dropped: 'auto-reply' },
  'mailing-list': { dropped: 'mailing-list' },
  'precedence-bulk': { dropped: 'mailing-list' },
  newsletter: { dropped: 'mailing-list' },
  noreply: { dropped: 'no-reply-sender' },
  'noreply-tagged': { dropped: 'no-reply-sender' },
  bounce: { dropped: 'bounce' },
  'bounce-null-path': { dropped: 'bounce' },
  'read-receipt': { dropped: 'bounce' },
  'no-from': { dropped: 'no-sender' },
  'from-no-address': { dropped: 'no-sender' },
  'from-group': { dropped: 'no-sender' },
  'two-from-addresses': { dropped: 'no-sender' },
  'two-from-headers': { dropped: 'no-sender' },

  'dmarc-pass': known,
  'gmail-style': known,
  'spf-aligned': known,
  'dkim-parent-signs-subdomain': { sender: 'email:ann@mail.there.test', name: 'ann@mail.there.test' },
  'name-is-an-address': { sender: 'email:evil@evil.test', name: 'evil@evil.test' },
  'encoded-address': { sender: 'email-unverified:evil@evil.test', name: 'evil@evil.test' },
  'homograph-domain': { sender: 'email-unverified:ann@xn--thre-x0c.test', name: 'Ann' },
  'name-markup': { name: ANN },
  'upper-case': { name: ANN },

  'no-subject-command': { text: '/status' },
  'subject-only': { text: 'Buy milk' },
  empty: { text: '' },
  'missing-headers': {
    text: 'Shall we have dinner on Friday?',
    thread: '<596601693dfb2f4bc98f2006fb05a99f@no.message.id>',
  },
  'references-only': { text: 'Shall we have dinner on Friday?', thread: '<root@there.test>' },
  'references-broken': { text: 'Shall we have dinner on Friday?', thread: '<root@there.test>' },
  'thread-to-itself': { text: 'Shall we have dinner on Friday?' },
  'to-many': {
    text: 'Subject: Dinner\nAlso to: bob@there.test\nCopy to: carol@there.test\n\nShall we have dinner on Friday?',
  },

  'gmail-reply': {
    text: 'Friday is fine.',
    thread: '<r0@there.test>',
    quoted: 'On Thu, Nov 19, 2026 at 9:00 AM Bot <bot@here.test> wrote:\n\n> When?\n>\n> Bot',
  },
  'gmail-html-reply': answer('Friday is fine.', {
    quoted: 'On Thu, Nov 19, 2026 at 9:00 AM Bot <bot@here.test> wrote:\n> When?',
  }),
  'outlook-reply-de': answer('Freitag passt.', {
    quoted:
      'Von: Bot <bot@here.test>\nGesendet: Donnerstag, 19. November 2026 09:00\nAn: Ann <ann@there.test>\nBetreff: Dinner\n\nWann?',
  }),
  'apple-reply-fr': answer('Vendredi.', {
    quoted: '> Le 19 nov. 2026 à 09:00, Bot <bot@here.test> a écrit :\n> \n> Quand ?',
  }),
  interleaved: answer('> When?\n\nFriday.\n\n> Where?\n\nAt mine.'),
  forwarded: {
    text: 'Subject: Fwd: Invoice\n\nPay this?\n\n---------- Forwarded message ---------\nFrom: Shop <shop@shop.test>\nDate: Thu, 19 Nov 2026\nSubject: Invoice\nTo: <ann@there.test>\n\nYou owe 5.',
  },
  signature: { text: 'Subject: Dinner\n\nYes.' },
  'html-only': { text: 'Subject: Dinner\n\nHello you,\n\n- one\n- two\nhere (https://x.test/a?b=1&c=2)' },
  alternative: { text: 'Subject: Dinner\n\nplain words' },
  'quoted-printable': { text: 'Subject: Dinner\n\nGrüße aus Köln' },
  latin1: { text: 'Subject: Dinner\n\nGrüße' },
  'wrong-charset': { text: 'Subject: Dinner\n\nplain' },
  gb18030: { text: 'Subject: 你好\n\n晚饭吃什么？' },
  'utf-7': { text: 'Subject: Dinner\n\nhi there, Grüße' },
  'iso-2022-jp': { text: 'Subject: Dinner\n\n夕食は？' },
  'format-flowed': { text: 'Subject: Dinner\n\nThis is one line.' },
  'nul-bytes': { text: 'Subject: Dinner\n\nbefore\u0000after\u001b[31m' },
  'base64-junk': { text: `Subject: Dinner\n\n${junk()}` },

  calendar: { text: 'Subject: Dinner\n\nSee you', files: ['attachment.ics 30'] },
  'inline-image': { text: 'Subject: Dinner\n\nLook [a cat]', files: ['cat.png 8'] },
  'crlf-in-file-name': { text: 'Subject: Dinner\n\nfile', files: ['a Bcc: x.pdf 1'] },
  'two-files-of-one-name': { text: 'Dinner', files: ['a.txt 3', 'a.txt 3'] },
  'zip-bomb': { text: 'Subject: Dinner\n\nopen this', files: ['bomb.zip 7442'] },
  'attached-mail': { text: 'Subject: Dinner\n\nlook', files: ['attachment.eml 125'] },
  'forty-levels': { text: 'Subject: Dinner\n\nat the bottom' },
  'boundary-missing': { text: 'Dinner' },
  'never-closed': { text: 'Subject: Dinner\n\nnever closed' },
};

function junk(): string {
  return Buffer.from('notbase64atall', 'base64').toString('utf8');
}

describe('mails', () => {
  test('the table has no row without a mail', () => {
    assert.deepEqual(
      Object.keys(TABLE).filter((name) => !mailNames().includes(name)),
      [],
    );
    assert.ok(mailNames().length >= 40);
  });

  for (const name of mailNames()) {
    test(name, async () => {
      const { id, ...got } = await becomes(name);
      const row = TABLE[name] ?? {};
      if (row.dropped) return assert.deepEqual(got, row);
      const whole = {
        sender: `email-unverified:${ANN}`,
        name: 'Ann Smith',
        text: WORDS,
        thread: `<${name}@there.test>`,
      };
      assert.deepEqual(got, { ...whole, ...row });
      assert.ok(id);
    });
  }
});

function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-mails-'));
  return work(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

function* chunksOf(raw: Buffer) {
  for (let at = 0; at < raw.length; at += 65_536) yield raw.subarray(at, at + 65_536);
}

/** As from a socket. */
function inChunks(raw: Buffer): Readable {
  return Readable.from(chunksOf(raw), { objectMode: false });
}

const HEAD = 'From: ann@there.test\r\nSubject: x\r\n';

test('a header without end, a mail that is too large, ten thousand parts: refused, and no file stays', async () => {
  const parts = '--b\r\nContent-Type: image/png\r\n\r\nx\r\n'.repeat(10_000);
  const raws = {
    header: `${HEAD}X-Long: ${'a'.repeat(20_000_000)}\r\n\r\nhi`,
    headers: `${HEAD}${'X-One: 1\r\n'.repeat(200_000)}\r\nhi`,
    large: `${HEAD}\r\n${'a'.repeat(1000)}`.repeat(2000),
    text: `${HEAD}\r\n${'> words\r\n'.repeat(5_000_000)}`,
    parts: `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts}--b--`,
  };
  for (const [name, raw] of Object.entries(raws)) {
    await inFolder(async (folder) => {
      const limits = { ...READ_LIMITS, mailBytes: name === 'large' ? 1_000_000 : READ_LIMITS.mailBytes };
      await assert.rejects(readMail(inChunks(Buffer.from(raw)), folder, limits), name);
      assert.deepEqual(readdirSync(folder), [], name);
    });
  }
});

test('a large file is no text: it goes through, as every program encodes it', async () => {
  const bytes = Buffer.alloc(20_000_000, 'some words, ');
  const encodings = {
    base64: bytes.toString('base64').replace(/.{76}/g, '$&\r\n'),
    '7bit': bytes.toString().replace(/.{76}/g, '$&\r\n'),
  };
  for (const [encoding, body] of Object.entries(encodings)) {
    const part = `--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n--b--`;
    const raw = `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n${part}`;
    await inFolder(async (folder) => {
      const { files } = await readMail(inChunks(Buffer.from(raw)), folder);
      assert.ok((files[0]?.size ?? 0) >= bytes.length, encoding);
    });
  }
});

test('files beyond the limits are left out by name, and the rest is there', async () => {
  const file = (name: string, size: number) =>
    `--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=${name}\r\n\r\n${'x'.repeat(size)}\r\n`;
  const body = [file('large', 5000), file('one', 10), file('two', 10), file('three', 10)].join('');
  const raw = `${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n${body}--b\r\n\r\nthe text\r\n--b--`;
  await inFolder(async (folder) => {
    const mail = await readMail(Readable.from([Buffer.from(raw)]), folder, {
      ...READ_LIMITS,
      fileBytes: 1000,
      files: 2,
    });
    assert.deepEqual(
      mail.files.map(({ name }) => name),
      ['one', 'two'],
    );
    assert.deepEqual(mail.leftOut, ['large (too large)', 'three (too many files)']);
    assert.equal(mail.text?.trim(), 'the text');
    assert.equal(readdirSync(folder).length, 2);
  });
});

test('bytes that are no mail end in a mail or an error, never in silence', async () => {
  const seeds = ['forty-levels', 'zip-bomb', 'gmail-html-reply', 'crlf-in-file-name', 'bounce'];
  for (const seed of seeds) {
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(join(MAILS, `${seed}.eml`))) chunks.push(chunk);
    const whole = Buffer.concat(chunks);
    for (let round = 0; round < 60; round += 1) {
      const broken = Buffer.from(whole.subarray(0, 1 + ((round * 7919) % whole.length)));
      for (let at = round % 17; at < broken.length; at += 37 + round) broken[at] = (round * 31 + at) % 256;
      await inFolder((folder) =>
        readMail(Readable.from([broken]), folder).catch((error) => assert.ok(error instanceof Error)),
      );
    }
  }
});

test('two mails with one id are two; the same mail twice is one', async () => {
  const threads = openThreads(':memory:', Date.now());
  const mail = await inFolder((folder) => readMail(createReadStream(join(MAILS, 'plain.eml')), folder));
  const first = threads.place('a@b.test', mail, 1);
  assert.deepEqual(threads.place('a@b.test', mail, 2), first);
  const other = threads.place('a@b.test', { ...mail, text: 'something else' }, 3);
  assert.notEqual(other.id, first.id);
  assert.deepEqual(threads.place('a@b.test', { ...mail, text: 'something else' }, 4), other);
  threads.close();
});

test('nobody gets into the thread of another chat', async () => {
  const threads = openThreads(':memory:', Date.now());
  threads.noteSent('ann@there.test', '<s1@here.test>', '<root@there.test>', 'Secret plans', 1);
  const mail = await inFolder((folder) => readMail(createReadStream(join(MAILS, 'plain.eml')), folder));
  const placed = threads.place('eve@evil.test', { ...mail, inReplyTo: '<s1@here.test>' }, 2);
  assert.equal(placed.root, '<s1@here.test>');
  assert.doesNotMatch(threads.line('eve@evil.test', placed.root).subject, /Secret/);
  threads.close();
});

test('a setting that is wrong is named, and its value is not', () => {
  const good = { ADDRESS: 'bot@here.test', PASSWORD: 'secret' };
  for (const [more, said] of [
    [{ ADDRESS: 'nobody' }, /ADDRESS/],
    [{ PASSWORD: '' }, /PASSWORD is missing/],
    [{ IMAP_PORT: '0' }, /IMAP_PORT/],
    [{ IMAP_SECURITY: 'none' }, /not this machine/],
    [{ ALIASES: 'x' }, /ALIASES/],
  ] as const) {
    assert.throws(
      () => readSettings({ ...good, ...more }),
      (error: Error) => said.test(error.message) && !error.message.includes('secret'),
    );
  }
  const gmail = readSettings({ ADDRESS: 'Me@Gmail.com', PASSWORD: 'x' });
  assert.deepEqual(gmail.imap, { host: 'imap.gmail.com', port: 993, security: 'tls' });
  assert.equal(gmail.authservId, 'mx.google.com');
  assert.equal(readSettings(good).authservId, undefined);
});
