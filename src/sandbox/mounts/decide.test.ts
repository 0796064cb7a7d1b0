import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Allowlist } from './allowlist.ts';
import { decideMount, type FoundPath, isWithin, type MountFacts } from './decide.ts';

const FILE = '/home/ann/.config/nanoclaw/mount-allowlist.json';
const list = (...roots: [path: string, rw?: boolean][]): Allowlist => ({
  file: FILE,
  state: 'read',
  allowedRoots: roots.map(([path, allowReadWrite = false]) => ({ path, allowReadWrite })),
  blockedPatterns: ['taxes-*'],
});
const allowed = list(['/srv/data'], ['/srv/share', true], ['/srv/share/kept'], ['/everything', true], ['/opt', true]);

const folder = (real: string, more: Partial<FoundPath> = {}): FoundPath => ({
  real,
  kind: 'folder',
  identity: '1:2',
  holds: [],
  parents: [{ path: '/', uid: 0, mode: 0o40755 }],
  ...more,
});
const facts = (found: MountFacts['found'], more: Partial<MountFacts> = {}): MountFacts => ({
  found,
  roots: new Map(['/srv/data', '/srv/share', '/srv/share/kept', '/everything', '/opt'].map((path) => [path, path])),
  own: ['/opt/nanoclaw/data', '/opt/nanoclaw/groups', '/opt/nanoclaw/.env', '/home/ann/.config/nanoclaw'],
  code: ['/opt/nanoclaw'],
  agents: ['/srv/share/bob'],
  isSandboxUid: (uid) => uid >= 1_000_000,
  ...more,
});

/** As “mode”, or as “reason: sentence”. */
function outcome(path: string, how: { rw?: boolean; found?: MountFacts['found']; by?: Allowlist; more?: object } = {}) {
  const { rw = false, found = folder(path), by = allowed, more = {} } = how;
  const decision = decideMount({ path, rw }, by, facts(found, more));
  return decision.allowed ? decision.mode : `${decision.reason}: ${decision.sentence}`;
}

describe('what is allowed, and how', () => {
  const table: [path: string, rw: boolean, expected: string][] = [
    ['/srv/data', false, 'ro'],
    ['/srv/data/photos/2026', false, 'ro'],
    ['/srv/data', true, 'ro'],
    ['/srv/share/x', false, 'ro'],
    ['/srv/share/x', true, 'rw'],
    // The innermost folder of the list decides.
    ['/srv/share/kept/x', true, 'ro'],
    // What an agent may write can be given to another as a whole.
    ['/srv/share/bob', true, 'rw'],
    ['/opt/nanoclaw/docs', false, 'ro'],
    ['/opt/nanoclaw/docs', true, 'ro'],
  ];
  for (const [path, rw, expected] of table) {
    test(`${path}, wanted ${rw ? 'rw' : 'ro'}: ${expected}`, () => assert.equal(outcome(path, { rw }), expected));
  }

  test('less than was wanted says why', () => {
    const noteOf = (path: string) => {
      const decision = decideMount({ path, rw: true }, allowed, facts(folder(path)));
      return decision.allowed && decision.note;
    };
    assert.match(String(noteOf('/srv/data/x')), /read-only, since \/srv\/data is allowed so/);
    assert.match(String(noteOf('/opt/nanoclaw/docs')), /the host runs from there/);
    assert.equal(noteOf('/srv/share/x'), undefined);
  });

  test('what is mounted is what was found, not what was asked for', () => {
    const decision = decideMount({ path: '/tmp/link', rw: false }, allowed, facts(folder('/srv/data/x')));
    assert.partialDeepStrictEqual(decision, { allowed: true, source: '/srv/data/x', identity: '1:2' });
  });
});

describe('what is refused, and why', () => {
  const refused: [path: string, reason: RegExp][] = [
    ['srv/data', /^path/],
    ['/srv/data\0', /^path/],
    ['', /^path/],
    // Whole components.
    ['/srv/database', /^root/],
    ['/srv', /^root/],
    ['/srv/Data', /^root/],
    ['/', /^system/],
    ['/proc/1/root', /^system/],
    ['/sys', /^system/],
    ['/dev/shm/x', /^system/],
    ['/run/user/0', /^system/],
    ['/running', /^root/],
    // Ours: itself, in it, around it.
    ['/opt/nanoclaw/data', /^own/],
    ['/opt/nanoclaw/groups/andy', /^own/],
    ['/opt/nanoclaw', /^own/],
    ['/opt', /^own/],
    ['/home/ann/.config', /^own/],
    ['/home/ann/.config/nanoclaw', /^own/],
    ['/everything/.ssh', /^name: “\.ssh”/],
    ['/everything/.SSH/keys', /^name/],
    ['/everything/ann/.aws/x', /^name/],
    ['/everything/Credentials', /^name/],
    ['/everything/app/.env.local', /^name/],
    ['/everything/taxes-2026/x', /^name: “taxes-2026”/],
    ['/srv/share/bob/inner', /^agents/],
  ];
  for (const [path, reason] of refused) test(`${path || 'nothing'}`, () => assert.match(outcome(path), reason));

  // A name is a component, not a piece of one.
  for (const path of [
    '/everything/my.sshd',
    '/everything/credentials-how-to',
    '/everything/env',
    '/everything/taxes',
  ]) {
    test(`${path} is no blocked name`, () => assert.equal(outcome(path), 'ro'));
  }

  const found: [name: string, found: MountFacts['found'], reason: RegExp][] = [
    ['nothing there', { missing: 'ENOENT' }, /^missing: it is not there/],
    ['not to be looked at', { missing: 'EACCES' }, /^missing: .*EACCES/],
    ['a link that leads out of what is allowed', folder('/etc'), /^root/],
    ['a link that leads to what is ours', folder('/opt/nanoclaw/data'), /^own/],
    ['a file', folder('/srv/data/x', { kind: 'file' }), /^kind: it is a file/],
    ['a socket', folder('/srv/data/x', { kind: 'special' }), /^kind: it is a socket/],
    ['keys at its top', folder('/srv/data/x', { holds: ['.ssh'] }), /^holds: .*“\.ssh”/],
    ['everybody may write above', parent('/srv/data', 0, 0o40777), /^parents/],
    ['an agent owns what is above', parent('/srv/data', 1_000_001, 0o40755), /^parents/],
  ];
  for (const [name, at, reason] of found) {
    test(name, () => assert.match(outcome('/srv/data/x', { found: at }), reason));
  }

  test('a folder for everybody where each keeps their own, as /tmp, is no danger', () => {
    assert.equal(outcome('/srv/data/x', { found: parent('/srv/data', 0, 0o41777) }), 'ro');
  });

  function parent(path: string, uid: number, mode: number): FoundPath {
    return folder(`${path}/x`, { parents: [{ path, uid, mode }] });
  }
});

describe('the list', () => {
  test('none, or one that can not be used, allows nothing and says so', () => {
    const sentence = 'others may write it';
    const unusable: Allowlist = { file: FILE, state: 'unusable', sentence, remedy: 'Run: chmod go-w' };
    assert.match(outcome('/srv/data', { by: { file: FILE, state: 'missing' } }), /^list: there is no list/);
    assert.match(outcome('/srv/data', { by: unusable }), /^list: .*others may write it/);
  });

  test('a remedy can be copied', () => {
    const remedyOf = (by: Allowlist) => {
      const decision = decideMount({ path: '/mnt/x', rw: false }, by, facts(folder('/mnt/x')));
      return decision.allowed ? '' : decision.remedy;
    };
    const [text = ''] = /\{.*\}/.exec(remedyOf({ file: FILE, state: 'missing' })) ?? [];
    assert.deepEqual(JSON.parse(text), {
      allowedRoots: [{ path: '/mnt/x', allowReadWrite: false }],
      blockedPatterns: [],
    });
    assert.match(remedyOf(allowed), /Add \{"path":"\/mnt\/x","allowReadWrite":false\} to allowedRoots in .*allowlist/);
  });

  test('a folder of the list that is a link allows nothing: whoever may change it would decide', () => {
    const roots = new Map([['/srv/data', '/etc']]);
    const decision = decideMount({ path: '/etc', rw: false }, allowed, facts(folder('/etc'), { roots }));
    assert.partialDeepStrictEqual(decision, { allowed: false, reason: 'root' });
    assert.match(decision.allowed ? '' : decision.remedy, /\/srv\/data in .* is a link: write \/etc/);
  });

  test('/ in the list allows all that is not refused for another reason', () => {
    const all = list(['/', true]);
    const more = { roots: new Map([['/', '/']]) };
    assert.equal(outcome('/mnt/x', { rw: true, by: all, more }), 'rw');
    assert.match(outcome('/', { by: all, more }), /^system/);
    assert.match(outcome('/root/.ssh', { by: all, more }), /^name/);
  });
});

test('being within is a matter of components, whatever their names', () => {
  const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1 }), fc.array(name), name, (outer, inner, other) => {
      const base = `/${outer.join('/')}`;
      assert.ok(isWithin([base, ...inner].join('/'), base));
      assert.ok(!isWithin(`${base}${other}`, base));
      assert.ok(isWithin(base, '/'));
    }),
  );
});
