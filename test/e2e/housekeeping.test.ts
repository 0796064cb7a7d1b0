import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { lockInstall } from '../../admin/housekeeping/install-lock.ts';
import { CODE, startHost } from '../support/host-process.ts';
import { type Platform, startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** An install whose data/ has a disk of its own, unmounted at the end. */
function mountDisk(megabytes: number): { home: string; data: string } & Disposable {
  const home = mkdtempSync(join(tmpdir(), 'nanoclaw-disk-'));
  const data = join(home, 'data');
  mkdirSync(data);
  const { status, stderr } = mount('-t', 'tmpfs', '-o', `size=${megabytes}m`, 'nanoclaw-test', data);
  assert.equal(status, 0, stderr);
  return {
    home,
    data,
    [Symbol.dispose]() {
      spawnSync('umount', ['-l', data]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function mount(...args: string[]) {
  return spawnSync('mount', args, { encoding: 'utf8' });
}

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-mount-'));
  const { status } = mount('-t', 'tmpfs', 'nanoclaw-test', folder);
  if (status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return status === 0;
}

/** Writes until nothing goes any more. */
function fill(file: string): void {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (const size of [chunk.length, 4096, 1]) {
    try {
      for (;;) writeFileSync(file, chunk.subarray(0, size), { flag: 'a' });
    } catch (error) {
      assert.match(String(error), /ENOSPC/);
    }
  }
}

function acceptanceOf(platform: Platform, id: string): Record<string, unknown> {
  return { ...platform.events.get(id)?.acceptance };
}

function integrity(home: string): unknown {
  const db = new DatabaseSync(join(home, 'data/v2.db'));
  const found = db.prepare('PRAGMA integrity_check').get()?.integrity_check;
  db.close();
  return found;
}

describe('a disk', { skip: mayMount() ? false : 'only root may mount a disk for it' }, () => {
  test('that fills up in the middle of turns: refused with a sentence, nothing lost, and it heals', async () => {
    using disk = mountDisk(64);
    const { home, data } = disk;
    using platform = await startPlatform();
    {
      await using host = await startHost({
        home,
        platform,
        chats: ['a', 'b', 'c'],
        environment: { NANOCLAW_RETRY_MS: '300', NANOCLAW_DISK_LOOK_MS: '500' },
      });
      const terminal = await host.terminal();
      platform.send('a', 'run echo warm');
      await until(() => platform.said('a').length > 0);
      const accepted = ['a', 'b', 'c'].flatMap((chat) => [
        platform.send(chat, `run sleep 1; echo first ${chat}`),
        platform.send(chat, `run echo second ${chat}`),
      ]);
      await until(() => accepted.every((id) => platform.events.get(id)?.acceptance));
      const { bavail, bsize } = statfsSync(data);
      writeFileSync(join(data, 'filler'), Buffer.alloc(bavail * bsize - 5 * 1024 ** 2));
      // The turns write as well: by the next look it may be the one or the other.
      await until(() => terminal.said().some((text) => /data\/ is (more than 90 % full|full: new)/.test(text)));
      fill(join(data, 'filler'));
      const refused = platform.send('a', 'run echo too much');
      await until(() => platform.events.get(refused)?.acceptance);
      const { status, code, sentence } = acceptanceOf(platform, refused);
      assert.deepEqual([status, code], ['refused', 'NC_DISK_FULL']);
      assert.match(String(sentence), /no room left on the disk.*Make room/);
      // The watch sees it, too, and keeps a reserve: the journal alone would take some more.
      await until(async () => /problem: The disk of data\/ is full/.test((await ncl(home, 'status')).out));
      rmSync(join(data, 'filler'));
      assert.ok(statfsSync(data).bavail > 0);
      await until(() => accepted.every((id) => platform.events.get(id)?.outcome), 60_000);
      await until(async () => {
        const id = platform.send('b', 'run echo healed');
        await until(() => platform.events.get(id)?.acceptance);
        return platform.events.get(id)?.acceptance?.status === 'stored';
      }, 30_000);
      await until(() => platform.said('b').some((text) => text.includes('healed')));
      await until(() => terminal.said().some((text) => text.includes('There is room on the disk again.')));
      for (const chat of ['a', 'b', 'c']) {
        const said = platform.said(chat).join('\n');
        for (const which of ['first', 'second']) assert.match(said, new RegExp(`${which} ${chat}|disk is full|⚠️`));
      }
    }
    assert.equal(integrity(home), 'ok');
  });

  test('that becomes read-only under a running host: told, refused, and what was taken is answered afterwards', async () => {
    using platform = await startPlatform();
    await using host = await startHost({ platform, chats: ['a'], environment: { NANOCLAW_DISK_LOOK_MS: '2000' } });
    platform.send('a', 'run echo warm');
    await until(() => platform.said('a').length > 0);
    const data = join(host.home, 'data');
    assert.equal(mount('--bind', data, data).status, 0);
    try {
      // Busy for the moment in which the host writes one of its small files.
      await until(() => mount('-o', 'remount,bind,ro', data).status === 0);
      const taken = platform.send('a', 'run echo taken');
      await until(() => platform.events.get(taken)?.acceptance);
      const refused = acceptanceOf(platform, taken).status === 'refused';
      if (!refused) await until(() => platform.said('a').some((text) => text.includes("can't hand on")));
      await until(async () => {
        const id = platform.send('a', 'run echo later');
        await until(() => platform.events.get(id)?.acceptance);
        return acceptanceOf(platform, id).code === 'NC_DATA_FOLDER';
      });
      assert.match((await ncl(host.home, 'status')).out, /problem: data\/ can not be written/);
      assert.equal(host.log().split('inbound.db was not published').length <= 2, true, 'once, and not each second');
      assert.equal(spawnSync('umount', ['-l', data]).status, 0);
      if (!refused) await until(() => platform.said('a').some((text) => text.includes('taken')));
      await until(async () => {
        const id = platform.send('a', 'run echo healed');
        await until(() => platform.events.get(id)?.acceptance);
        return acceptanceOf(platform, id).status === 'stored';
      });
      await until(() => platform.said('a').some((text) => text.includes('healed')));
    } finally {
      spawnSync('umount', ['-l', data]);
    }
  });

  test('that is read-only: a start says so and ends with 1', () => {
    using disk = mountDisk(16);
    initFirstAgent(disk.home, {});
    assert.equal(mount('-o', 'remount,ro', disk.data).status, 0);
    const { status, stderr } = spawnSync(process.execPath, [join(CODE, 'src/index.ts')], {
      env: { PATH: process.env.PATH, HOME: disk.home, NANOCLAW_HOME: disk.home },
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(status, 1);
    assert.match(stderr, /^A file or folder of this install can not be used\. .*read-only/);
  });
});

/** What a disk does that turns read-only for an error: whoever has a file open can't write to it any more. */
function setUnwritable(file: string, unwritable: boolean): boolean {
  return spawnSync('chattr', [unwritable ? '+i' : '-i', file]).status === 0;
}

test('data/ becomes read-only while the host runs: refused with a sentence, and it heals', async (t) => {
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats: ['a'] });
  const journal = join(host.home, 'data/v2.db-wal');
  platform.send('a', 'run echo before');
  await until(() => platform.said('a').length === 1);
  if (!setUnwritable(journal, true))
    return t.skip('this file system has no immutable files, or this user may not make them');
  try {
    const refused = platform.send('a', 'run echo refused');
    await until(() => platform.events.get(refused)?.acceptance);
    const { status, code, sentence } = acceptanceOf(platform, refused);
    assert.deepEqual([status, code], ['refused', 'NC_DATA_FOLDER']);
    assert.match(String(sentence), /can not be used/);
  } finally {
    setUnwritable(journal, false);
  }
  const after = platform.send('a', 'run echo after');
  await until(() => platform.events.get(after)?.outcome === 'reply');
  assert.match(platform.said('a').join(), /after/);
  await host.end();
  assert.equal(integrity(host.home), 'ok');
});

/** `ncl`, on an install; resolves with what it said and its status. */
function ncl(home: string, ...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: home, PWD: home, NANOCLAW_HOME: home };
    const child = execFile(process.execPath, [join(CODE, 'cli/main.ts'), ...args], { env }, (_error, out, err) =>
      resolve({ status: child.exitCode, out, err }),
    );
  });
}

test('a backup beside a busy host is restored on another install: memory, rights, open messages', async () => {
  using platform = await startPlatform();
  const home = mkdtempSync(join(tmpdir(), 'nanoclaw-restored-'));
  const archive = join(home, 'backup.tar');
  {
    await using host = await startHost({ platform, chats: ['a', 'b'] });
    platform.send('a', 'remember the cat is called Miez');
    await until(() => platform.said('a').length === 1);
    const open = platform.send('b', 'run sleep 2; echo $((6 * 7)) answers');
    await until(() => platform.events.get(open)?.acceptance);
    let busy = true;
    const traffic = (async () => {
      while (busy) {
        const id = platform.send('a', 'time');
        await until(() => platform.events.get(id)?.outcome);
      }
    })();
    const { status, out, err } = await ncl(host.home, 'backup', archive);
    busy = false;
    await traffic;
    assert.equal(status, 0, err);
    assert.match(
      out,
      /^Verified: .*backup\.tar, .*agents: 1, sessions: 2\)\.\n(.* changed meanwhile.*\n)?It holds no keys/,
    );
    const refused = await ncl(host.home, 'restore', archive);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /A restore needs the host stopped \(process id \d+\): run `ncl stop` first\./);
    await host.end('SIGKILL');
  }
  const restored = await ncl(home, 'restore', archive);
  assert.equal(restored.status, 0, restored.err);
  assert.match(restored.out, /^Restored: /);
  // Another folder is another install, with other uids for its agents.
  await using second = await startHost({ platform, home });
  await until(() => platform.said('b').some((text) => text.includes('42 answers')), 60_000);
  const asked = platform.send('a', 'what do you remember?');
  await until(() => platform.events.get(asked)?.outcome);
  assert.match(platform.said('a').at(-1) ?? '', /Miez/);
  platform.send('a', 'remember the dog is called Bello');
  await until(() => readFileSync(join(home, 'groups/andy/CLAUDE.local.md'), 'utf8').includes('Bello'));
  await second.end();
  assert.equal(integrity(home), 'ok');
  rmSync(home, { recursive: true });
});

test('a start in the middle of a restore ends with a sentence, and leaves all of it to the restore', async () => {
  const home = mkdtempSync(join(tmpdir(), 'nanoclaw-restoring-'));
  initFirstAgent(home, {});
  // Decided, and not yet in place.
  const decided = join(home, 'data/restore-2026-01-01');
  mkdirSync(join(decided, 'groups/restored'), { recursive: true });
  const unlock = lockInstall(join(home, 'data'));
  try {
    const started = spawnSync(process.execPath, [join(CODE, 'src/index.ts')], {
      env: { PATH: process.env.PATH, HOME: home, NANOCLAW_HOME: home },
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.deepEqual([started.status, existsSync(decided)], [1, true], started.stderr);
    assert.match(started.stderr, /Another program holds.*A restore, or another start, goes on/);
  } finally {
    unlock();
  }
  {
    await using host = await startHost({ home });
    await until(() => host.log().includes('a restore that was cut short is finished'));
  }
  assert.deepEqual([existsSync(decided), existsSync(join(home, 'groups/restored'))], [false, true]);
  rmSync(home, { recursive: true });
});

test('ncl housekeeping says what went', async () => {
  await using host = await startHost();
  const terminal = await host.terminal();
  await terminal.ask('hello');
  const { status, out, err } = await ncl(host.home, 'housekeeping', '--dry-run');
  assert.equal(status, 0, err);
  assert.match(out, /^WOULD GO +COUNT +SIZE\nmessages +0 +0\.0 MB\n/);
});
