import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { finishRestore } from '../../admin/housekeeping/finish-restore.ts';
import { verifyLog } from '../../cli/audit/verify-log.ts';
import { migrate } from '../../src/db/migrate.ts';
import { migrations } from '../../src/db/migrations/index.ts';
import { NanoError } from '../../src/errors.ts';
import { pathsFor } from '../../src/paths.ts';
import { createInstall, type Install } from '../../test/support/central.ts';
import { backup } from './backup.ts';
import { restore } from './restore.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nanoclaw-backup-'));
after(() => execFileSync('sh', ['-c', 'chmod -R u+rwX "$0"; rm -rf "$0"', scratch]));

let count = 0;
const newPath = (name: string) => {
  count += 1;
  return join(scratch, `${count}-${name}`);
};

function put(text: string, ...parts: string[]): string {
  const file = join(...parts);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const sessionOf = (install: Install) =>
  join(install.root, 'data/v2-sessions', install.agentId, install.newSession().id);

/** A home with another agent's memory, which the restored one replaces. */
function otherHome(): string {
  const home = newPath('home');
  initFirstAgent(home, { name: 'Bea' });
  return home;
}

/** Every path with its kind, mode and content. */
function stateOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/^data\/(backups|install\.lock)|v2\.db-(wal|shm)$/.test(name))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path);
      // A database that was only looked at is the same; who had looked last is noted in it.
      const content = !stat.isFile() ? '' : name.endsWith('v2.db') ? messagesIn(path) : readFileSync(path, 'latin1');
      return `${name} ${stat.mode.toString(8)} ${content}`;
    });
}

function messagesIn(file: string): string {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare('SELECT name FROM agent_groups UNION ALL SELECT id FROM messages').all();
  db.close();
  return JSON.stringify(rows);
}

async function codeOf(work: Promise<unknown>): Promise<[string, string]> {
  try {
    await work;
  } catch (error) {
    return error instanceof NanoError ? [error.code, error.message] : ['none of ours', String(error)];
  }
  return ['it went', ''];
}

async function backupOf(fill: (install: Install) => void, secrets = false): Promise<string> {
  using install = createInstall();
  fill(install);
  const file = newPath('backup.tar');
  await backup(pathsFor(install.root), file, secrets);
  return file;
}

test('what can not be made again is restored, and nothing else', async () => {
  using install = createInstall();
  const session = install.newSession();
  const folder = sessionOf(install);
  put('tool', install.root, 'groups/andy/bin/tool');
  chmodSync(join(install.root, 'groups/andy/bin/tool'), 0o755);
  symlinkSync('bin/tool', join(install.root, 'groups/andy/link'));
  const parts = ['claude/history.jsonl', 'home/.profile', 'inbound/inbox/m1/1-photo.jpg', 'box/outbox/r1/answer.pdf'];
  for (const part of parts) put(part, folder, part);
  put('handed over', install.root, 'data/received/r0/report.txt');
  put('a skill', install.root, 'data/skills/mine/SKILL.md');
  put('not this', folder, 'box/outbound.db');
  put('not this', folder, 'inbound/inbound.db');
  put('KEY=secret', install.root, '.env');
  const content = { text: 'hello' };
  const message = { id: 'm1', sessionId: session.id, kind: 'chat', trigger: true, content } as const;
  const origin = { channel_type: 'terminal', platform_id: 'local', thread_id: null };
  install.messages.addInbound({ ...message, ...origin, timestamp: '2026-11-21T08:00:00.000Z' }, Date.now());
  const file = newPath('backup.tar');
  const made = await backup(pathsFor(install.root), file, false);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(file).size, made.bytes);
  assert.equal(made.manifest.rows.messages, 1);
  assert.equal(readFileSync(file).includes('KEY=secret'), false);
  assert.equal(existsSync(join(install.root, 'data/backups')), false, 'nothing is left behind');

  const home = otherHome();
  put('MINE=1', home, '.env');
  const { aside } = await restore(pathsFor(home), file);
  const there = join(home, 'data/v2-sessions', install.agentId, session.id);
  for (const part of parts) {
    assert.equal(readFileSync(join(there, part), 'utf8'), part);
    assert.equal(statSync(join(there, part)).mode & 0o777, 0o644, part);
  }
  assert.deepEqual(readdirSync(there).sort(), ['box', 'claude', 'home', 'inbound']);
  assert.deepEqual(readdirSync(join(there, 'box')), ['outbox']);
  assert.equal(readFileSync(join(home, 'data/received/r0/report.txt'), 'utf8'), 'handed over');
  assert.equal(readFileSync(join(home, 'data/skills/mine/SKILL.md'), 'utf8'), 'a skill');
  assert.equal(statSync(join(home, 'groups/andy/bin/tool')).mode & 0o777, 0o755);
  assert.equal(readlinkSync(join(home, 'groups/andy/link')), 'bin/tool');
  assert.equal(statSync(join(home, 'data/v2.db')).mode & 0o777, 0o600);
  assert.match(messagesIn(join(home, 'data/v2.db')), /Andy.*m1/);
  assert.equal(readFileSync(join(home, '.env'), 'utf8'), 'MINE=1');
  assert.equal(existsSync(join(home, 'groups/bea')), false);
  assert.ok(existsSync(join(aside, 'groups/bea/CLAUDE.local.md')));
  assert.match(messagesIn(join(aside, 'v2.db')), /Bea/);
});

describe('what channels keep', () => {
  /** As an adapter leaves it while it writes: rows that are in the journal alone. */
  function openHistory(root: string): DatabaseSync {
    mkdirSync(join(root, 'data/channels/web'), { recursive: true, mode: 0o700 });
    const db = new DatabaseSync(join(root, 'data/channels/web/web.db'));
    db.exec("PRAGMA journal_mode = WAL; CREATE TABLE said (text); INSERT INTO said VALUES ('hello'), ('there')");
    return db;
  }
  const saidIn = (root: string) => {
    const db = new DatabaseSync(join(root, 'data/channels/web/web.db'), { readOnly: true });
    const rows = db.prepare('SELECT text FROM said').all();
    db.close();
    return rows.map(({ text }) => text);
  };
  function fill(root: string): void {
    put('a picture', root, 'data/channels/web/files/f1');
    // Whatever somebody sends: it is no database of ours.
    put(`SQLite format 3\0${'junk'.repeat(100)}`, root, 'data/channels/web/files/f2.db');
    put('TOKEN="secret-of-the-channel"\n', root, 'data/channels/telegram.env');
    put('TOKEN="secret-of-the-channel', root, 'data/channels/telegram.env.new');
    put('{"cursor":1}', root, 'data/channels/telegram/cursor.json');
  }

  test('is restored as of one moment; settings that hold credentials are not in it, and those that are there stay', async () => {
    using install = createInstall();
    const history = openHistory(install.root);
    fill(install.root);
    const file = newPath('backup.tar');
    // In the middle of a change of its adapter's.
    history.exec("BEGIN IMMEDIATE; INSERT INTO said VALUES ('not yet')");
    await backup(pathsFor(install.root), file, false);
    history.close();
    assert.equal(readFileSync(file).includes('secret-of-the-channel'), false);
    const home = otherHome();
    put('TOKEN="mine"\n', home, 'data/channels/telegram.env');
    put('old', home, 'data/channels/web/web.db-wal');
    const { aside } = await restore(pathsFor(home), file);
    assert.deepEqual(saidIn(home), ['hello', 'there']);
    const there = join(home, 'data/channels');
    assert.equal(readFileSync(join(there, 'web/files/f1'), 'utf8'), 'a picture');
    assert.match(readFileSync(join(there, 'web/files/f2.db'), 'utf8'), /junk/);
    assert.equal(readFileSync(join(there, 'telegram/cursor.json'), 'utf8'), '{"cursor":1}');
    assert.equal(readFileSync(join(there, 'telegram.env'), 'utf8'), 'TOKEN="mine"\n');
    assert.equal(statSync(there).mode & 0o777, 0o700);
    assert.equal(statSync(join(there, 'telegram.env')).mode & 0o777, 0o600);
    assert.ok(existsSync(join(aside, 'channels/web/web.db-wal')), "no journal of the other's lies beside it");
  });

  test('with secrets, the settings come along', async () => {
    const file = await backupOf(({ root }) => fill(root), true);
    const home = otherHome();
    put('TOKEN="mine"\n', home, 'data/channels/telegram.env');
    await restore(pathsFor(home), file);
    assert.match(readFileSync(join(home, 'data/channels/telegram.env'), 'utf8'), /secret-of-the-channel/);
    assert.equal(statSync(join(home, 'data/channels/telegram.env')).mode & 0o777, 0o600);
  });

  test('a database that is damaged there is said, and no backup is made of it', async () => {
    using install = createInstall();
    openHistory(install.root).close();
    const spoilt = join(install.root, 'data/channels/web/web.db');
    const bytes = readFileSync(spoilt);
    bytes.fill(0xff, 4096);
    writeFileSync(spoilt, bytes);
    const file = newPath('backup.tar');
    const [code, message] = await codeOf(backup(pathsFor(install.root), file, false));
    assert.equal(code, 'NC_BACKUP_FAILED', message);
    assert.match(message, /data\/channels\/web\/web\.db/);
    assert.equal(existsSync(file), false);
  });
});

test('a backup of an earlier version: the audit log begins with its restore, and is whole', async () => {
  const old = newPath('old');
  mkdirSync(join(old, 'data'), { recursive: true });
  const db = new DatabaseSync(pathsFor(old).db);
  migrate(db, () => {}, Date.now(), migrations.slice(0, 1));
  db.close();
  const file = newPath('backup.tar');
  await backup(pathsFor(old), file, false);
  const home = otherHome();
  const { auditHead, db: database } = pathsFor(home);
  await restore(pathsFor(home), file);
  const { rows, restored, problem } = verifyLog(database, auditHead);
  assert.deepEqual([rows, restored.length, problem], [1, 1, undefined]);
});

test('a database that is damaged, or gone, is no obstacle', async () => {
  const good = await backupOf(() => {});
  for (const spoil of [(db: string) => writeFileSync(db, 'x'.repeat(9999)), (db: string) => rmSync(db)]) {
    const home = otherHome();
    spoil(join(home, 'data/v2.db'));
    await restore(pathsFor(home), good);
    assert.match(messagesIn(join(home, 'data/v2.db')), /Andy/);
  }
});

test('two at once to the same name: one is made, whole, and the other says so', async () => {
  using install = createInstall();
  const file = newPath('same.tar');
  const both = await Promise.all([1, 2].map(() => codeOf(backup(pathsFor(install.root), file, false))));
  assert.deepEqual(both.map(([code]) => code).sort(), ['NC_BACKUP_FAILED', 'it went'], JSON.stringify(both));
  assert.match(both.flat().join(), /another backup was quicker/);
  const home = otherHome();
  await restore(pathsFor(home), file);
  assert.match(messagesIn(join(home, 'data/v2.db')), /Andy/);
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.endsWith('.part')),
    [],
  );
});

test('another restore, or a host that starts, is at it: nothing is touched', async () => {
  const good = await backupOf(() => {});
  const home = otherHome();
  // In another process: the system counts a file's locks by process.
  const holder = `import { lockInstall } from ${JSON.stringify(join(import.meta.dirname, '../../admin/housekeeping/install-lock.ts'))};
    const unlock = lockInstall(${JSON.stringify(join(home, 'data'))});
    console.log('held');
    setTimeout(unlock, 600_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', holder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    const before = stateOf(home);
    const [code, message] = await codeOf(restore(pathsFor(home), good));
    assert.equal(code, 'NC_DB_BUSY', message);
    assert.match(message, /A restore, or another start, goes on/);
    assert.deepEqual(stateOf(home), before);
    mkdirSync(join(home, 'data/.restoring-12-abc'));
    const [refused, sentence] = await codeOf(restore(pathsFor(home), good));
    assert.equal(refused, 'NC_RESTORE');
    assert.match(sentence, /Another restore is at work \(process id 12\)\.$/);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  // The system has ended the lock with the process.
  await restore(pathsFor(home), good);
});

test('keys go along when that is asked for', async () => {
  const file = await backupOf((install) => put('KEY=secret', install.root, '.env'), true);
  const home = otherHome();
  put('MINE=1', home, '.env');
  const { aside } = await restore(pathsFor(home), file);
  assert.equal(readFileSync(join(home, '.env'), 'utf8'), 'KEY=secret');
  assert.equal(statSync(join(home, '.env')).mode & 0o777, 0o600);
  assert.equal(readFileSync(join(aside, '.env'), 'utf8'), 'MINE=1');
});

test('an agent that fills its folder with traps', async () => {
  const secret = put('of the host', scratch, 'outside/secret.txt');
  let leftOut = 0;
  using install = createInstall();
  const trap = (...parts: string[]) => join(install.root, 'groups/andy', ...parts);
  symlinkSync(join(scratch, 'outside'), trap('folder-link'));
  symlinkSync(secret, trap('file-link'));
  symlinkSync('/etc', join(install.root, 'groups/etc'));
  execFileSync('mkfifo', [trap('pipe')]);
  linkSync(put('one', trap('one')), trap('two'));
  put('line', trap('line\nbreak -> "\\'));
  put('root me', trap('setuid'));
  chmodSync(trap('setuid'), 0o6755);
  truncateSync(put('', trap('huge')), 1024 ** 4);
  put('closed', trap('closed', 'file'));
  chmodSync(trap('closed'), 0);
  const deep = `cd "$1" && for i in $(seq 100); do mkdir ${'d'.repeat(90)} && cd ${'d'.repeat(90)} && : > file; done`;
  execFileSync('bash', ['-c', deep, 'deep', trap()]);
  const file = newPath('backup.tar');
  ({ leftOut } = await backup(pathsFor(install.root), file, false));
  chmodSync(trap('closed'), 0o700);
  assert.equal(leftOut, 1);
  assert.ok(statSync(file).size < 2 * 1024 ** 2, `${statSync(file).size} bytes`);
  assert.equal(readFileSync(file).includes('of the host'), false, 'no link was followed');
  const home = otherHome();
  await restore(pathsFor(home), file);
  const there = join(home, 'groups/andy');
  assert.equal(readlinkSync(join(there, 'file-link')), secret);
  assert.equal(existsSync(join(home, 'groups/etc')), false);
  assert.equal(existsSync(join(there, 'pipe')), false);
  assert.equal(readFileSync(join(there, 'two'), 'utf8'), 'one');
  assert.equal(readFileSync(join(there, 'line\nbreak -> "\\'), 'utf8'), 'line');
  assert.equal(statSync(join(there, 'setuid')).mode & 0o7000, 0, 'nobody becomes another user by it');
  assert.equal(statSync(join(there, 'huge')).size, 1024 ** 4);
  assert.equal(statSync(join(there, 'huge')).blocks, 0);
});

describe('a backup that is none', () => {
  const append = (file: string) => {
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
    writeFileSync(file, `\nnanoclaw-backup-1 ${hash}\n`, { flag: 'a' });
  };
  /** Unpacks a good one, changes it, and packs it again as one that was written so. */
  const repack = (change: (folder: string) => readonly string[]) => (good: string) => {
    const folder = newPath('repack');
    mkdirSync(folder);
    execFileSync('tar', ['-xf', good, '-C', folder]);
    const file = newPath('crafted.tar');
    const extra = change(folder);
    execFileSync('tar', ['-cPf', file, '-C', folder, ...extra, 'manifest.json', 'data', 'groups']);
    append(file);
    return file;
  };
  /** What was done, and what is packed besides. */
  const made = (_done: unknown, ...extra: string[]) => extra;
  const sql = (text: string) => (folder: string) => {
    const db = new DatabaseSync(join(folder, 'data/v2.db'));
    db.exec(text);
    db.close();
    return [];
  };
  const cases: [what: string, make: (good: string) => string, code: string, said: RegExp][] = [
    ['cut short', (good) => cut(good, -1000), 'NC_BACKUP', /cut short, or is another file/],
    ['cut to nothing', (good) => cut(good, 0), 'NC_BACKUP', /cut short, or is another file/],
    ['a flipped byte', flip, 'NC_BACKUP', /was changed/],
    ['another file', () => put('hello '.repeat(1000), newPath('other')), 'NC_BACKUP', /another file/],
    ['no file', () => newPath('none'), 'NC_NOT_FOUND', /no .*none/],
    [
      'from a newer version',
      repack(sql("INSERT INTO schema_version (name, applied) VALUES ('9-x', 'now')")),
      'NC_DB_NEWER',
      /newer/,
    ],
    ['rows are missing', repack(sql('DELETE FROM messaging_group_agents')), 'NC_BACKUP', /Rows are missing/],
    ['orphans', repack(sql('PRAGMA foreign_keys = OFF; DELETE FROM agent_groups')), 'NC_BACKUP', /database is damaged/],
    ['no database', repack((folder) => made(put('x'.repeat(9999), folder, 'data/v2.db'))), 'NC_BACKUP', /Its database/],
    [
      'a path out of it',
      repack((folder) => [`--transform=s,^groups/andy/C.*,../escaped,`, put('x', folder, 'groups/andy/C')]),
      'NC_BACKUP',
      /does not belong/,
    ],
    ['an absolute path', repack(() => ['/etc/hostname']), 'NC_BACKUP', /does not belong/],
    [
      'a device',
      repack((folder) => made(execFileSync('mkfifo', [join(folder, 'extra')]), 'extra')),
      'NC_BACKUP',
      /does not belong/,
    ],
    [
      'a hard link',
      repack((folder) => made(linkSync(join(folder, 'groups/andy/CLAUDE.local.md'), join(folder, 'groups/andy/b')))),
      'NC_BACKUP',
      /does not belong/,
    ],
    [
      'a file beneath a link',
      repack((folder) => {
        const other = newPath('beneath');
        put('x', other, 'groups/andy/link/file');
        symlinkSync('/tmp', join(folder, 'groups/andy/link'));
        return ['groups', '-C', other, 'groups/andy/link/file', '-C', folder];
      }),
      'NC_BACKUP',
      /does not belong/,
    ],
  ];
  function cut(good: string, size: number): string {
    const file = newPath('cut.tar');
    writeFileSync(file, readFileSync(good).subarray(0, size));
    return file;
  }
  function flip(good: string): string {
    const file = newPath('flipped.tar');
    const bytes = readFileSync(good);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    return file;
  }
  for (const [what, make, code, said] of cases) {
    test(`${what}: ${code}, and nothing is changed`, async () => {
      const good = await backupOf(() => {});
      const home = otherHome();
      const before = stateOf(home);
      const [found, message] = await codeOf(restore(pathsFor(home), make(good)));
      assert.equal(found, code, message);
      assert.match(message, said);
      assert.deepEqual(stateOf(home), before);
    });
  }
});

test('a restore that is cut at any step leaves the old or the new, whole', async () => {
  const good = await backupOf((install) => put('new', install.root, 'groups/andy/note'));
  let whole = false;
  const seen = new Set<string>();
  for (let step = 1; !whole; step += 1) {
    const home = otherHome();
    const killer = `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
      let left = ${step}; const rename = fs.renameSync;
      fs.renameSync = (a, b) => { if (--left === 0) process.kill(process.pid, 'SIGKILL'); rename(a, b); };
      syncBuiltinESMExports();`;
    const program = `import { restore } from ${JSON.stringify(join(import.meta.dirname, 'restore.ts'))};
      import { pathsFor } from ${JSON.stringify(join(import.meta.dirname, '../../src/paths.ts'))};
      await restore(pathsFor(${JSON.stringify(home)}), ${JSON.stringify(good)});`;
    const importing = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
    const { signal, stderr } = spawnSync(
      process.execPath,
      ['--import', importing(killer), '--input-type=module', '-e', program],
      { encoding: 'utf8' },
    );
    whole = signal === null;
    assert.equal(stderr, '');
    // As the next start does.
    finishRestore(pathsFor(home));
    const agent = /Andy|Bea/.exec(messagesIn(join(home, 'data/v2.db')))?.[0] ?? '';
    assert.deepEqual(readdirSync(join(home, 'groups')), [agent.toLowerCase()], `cut at rename ${step}`);
    assert.ok(existsSync(join(home, 'groups/andy/note')) === (agent === 'Andy'));
    seen.add(agent);
  }
  assert.deepEqual([...seen], ['Bea', 'Andy']);
});

test('no room for it is said before anything is written', async (t) => {
  const folder = newPath('small');
  mkdirSync(folder);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'nanoclaw-test', folder]).status !== 0) {
    return t.skip('only root may mount a disk for it');
  }
  try {
    using install = createInstall();
    const large = put('x'.repeat(2 * 1024 ** 2), install.root, 'groups/andy/large');
    // Packed once for each of its names.
    for (const name of ['second', 'third']) linkSync(large, join(install.root, 'groups/andy', name));
    const [code, message] = await codeOf(backup(pathsFor(install.root), join(folder, 'b.tar'), false));
    assert.equal(code, 'NC_DISK_FULL');
    assert.match(message, /1\d MB and a reserve are needed in .*small; 1 MB are free/);
    assert.deepEqual(readdirSync(folder), []);
    assert.equal(existsSync(join(install.root, 'data/backups')), false);
  } finally {
    spawnSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  }
});

describe('a backup that can not be made says why, and leaves nothing', () => {
  const cases: [what: string, target: (install: Install) => string, secrets: boolean, code: string, said: RegExp][] = [
    ['no folder', () => join(newPath('none'), 'b.tar'), false, 'NC_BACKUP_FAILED', /none is not there\.$/],
    [
      'a file as a folder',
      () => join(put('x', newPath('file')), 'b.tar'),
      false,
      'NC_BACKUP_FAILED',
      /is no folder\.$/,
    ],
    ['a file that is there', () => put('x', newPath('there')), false, 'NC_BACKUP_FAILED', /there is there already\.$/],
    ['groups', ({ root }) => join(root, 'groups/b.tar'), false, 'NC_BACKUP_FAILED', /groups is packed itself\.$/],
    [
      'an agent',
      ({ root }) => join(root, 'groups/andy/b.tar'),
      false,
      'NC_BACKUP_FAILED',
      /groups is packed itself\.$/,
    ],
    ['.env is a folder', () => newPath('b.tar'), true, 'NC_DATA_FOLDER', /\.env: it is no file\.$/],
  ];
  for (const [what, target, secrets, code, said] of cases) {
    test(what, async () => {
      using install = createInstall();
      mkdirSync(join(install.root, '.env'));
      const before = stateOf(install.root);
      const file = target(install);
      const there = existsSync(file);
      const [found, message] = await codeOf(backup(pathsFor(install.root), file, secrets));
      assert.equal(found, code, message);
      assert.match(message, said);
      assert.equal(existsSync(file), there);
      assert.deepEqual(stateOf(install.root), before);
    });
  }
});

test('backups of one second get different names', async () => {
  using install = createInstall();
  const paths = pathsFor(install.root);
  const made = await Promise.all([1, 2, 3].map(() => backup(paths, undefined, false)));
  assert.deepEqual(readdirSync(paths.backups).sort(), made.map(({ file }) => basename(file)).sort());
  assert.equal(new Set(made.map(({ file }) => file)).size, 3);
});

for (const [what, spoil] of [
  ['full', (data: string) => spawnSync('sh', ['-c', 'cat /dev/zero > "$0/filler"', data])],
  ['read-only', (data: string) => spawnSync('mount', ['-o', 'remount,ro', data])],
] as const) {
  test(`a disk of data/ that is ${what} is backed up to another one`, async (t) => {
    const home = newPath('home');
    mkdirSync(join(home, 'data'), { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'nanoclaw-test', join(home, 'data')]).status !== 0) {
      return t.skip('only root may mount a disk for it');
    }
    try {
      initFirstAgent(home, { name: 'Andy' });
      spoil(join(home, 'data'));
      const file = newPath('b.tar');
      const { manifest } = await backup(pathsFor(home), file, false);
      assert.equal(manifest.rows.agent_groups, 1);
      const [code, message] = await codeOf(backup(pathsFor(home), undefined, false));
      assert.equal(code, what === 'full' ? 'NC_DISK_FULL' : 'NC_DATA_FOLDER', message);
      assert.match(message, /data\/backups/);
      assert.doesNotMatch(message, /XXXXXX|\.making/);
    } finally {
      spawnSync('umount', [join(home, 'data')]);
    }
  });
}

test('what is no file is no backup, and a pipe is not waited for', async () => {
  const home = otherHome();
  const pipe = newPath('pipe');
  execFileSync('mkfifo', [pipe]);
  for (const [path, said] of [
    [pipe, /pipe is no file\.$/],
    [scratch, /is a folder\.$/],
  ] as const) {
    const [code, message] = await codeOf(restore(pathsFor(home), path));
    assert.equal(code, 'NC_BACKUP');
    assert.match(message, said);
  }
});

test('what a restore that was killed has unpacked goes with the next one, or with a start', () => {
  const home = otherHome();
  put('x', home, 'data/.restoring-123-abc/groups/andy/note');
  finishRestore(pathsFor(home));
  assert.equal(existsSync(join(home, 'data/.restoring-123-abc')), false);
});
