import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createChange } from '../../../admin/directory/change.ts';
import { createMountDirectory, type MountDirectory } from '../../../cli/mounts/directory.ts';
import { mayUse } from '../../../cli/mounts/may-use.ts';
import { createInstall, type Install } from '../../../test/support/central.ts';
import { createAudit } from '../../audit/index.ts';
import { transaction } from '../../db/group-commit.ts';
import { listAgentGroups } from '../../groups/agent-groups.ts';
import { pathsFor } from '../../paths.ts';
import { findPath } from './facts.ts';
import { createMounts, type Mounts } from './index.ts';
import { mountShared } from './places.ts';

/** On a real file system, beside a real central database. */

const BY = { actor: 'terminal:owner', scope: null };
const NOW = Date.parse('2026-11-20T12:00:00Z');

let install: Install;
let root = '';
let mounts: Mounts;
let directory: MountDirectory;

beforeEach(() => {
  install = createInstall();
  root = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-mounts-')));
  mkdirSync(at('config'), { mode: 0o700 });
  for (const name of ['data/photos', 'database', 'share/bob/inner']) mkdirSync(at(name), { recursive: true });
  allow({ path: at('data') }, { path: at('share'), allowReadWrite: true });
  const audit = createAudit(install.db);
  const paths = pathsFor(install.root);
  mounts = createMounts({ db: install.db, audit, paths, code: install.root, allowlist: at('config/list.json') });
  const change = createChange(install.db, audit);
  const agents = () => listAgentGroups(install.db);
  directory = createMountDirectory({ agents, change, mounts, uidFor: () => undefined });
});
afterEach(() => {
  install[Symbol.dispose]();
  rmSync(root, { recursive: true, force: true });
});

const at = (...parts: string[]): string => join(root, ...parts);
const allow = (...allowedRoots: object[]) =>
  writeFileSync(at('config/list.json'), JSON.stringify({ allowedRoots }), { mode: 0o600 });
const add = (path: string, more: { name?: string; rw?: boolean } = {}) =>
  directory.add(install.agentId, { path, rw: false, ...more }, BY, NOW);
const reason = (path: string, rw = false) => {
  const decision = mounts.decide(path, rw);
  return decision.allowed ? decision.mode : decision.reason;
};
const audited = () => install.db.prepare("SELECT action FROM audit_log WHERE action LIKE 'mount.%' ORDER BY seq").all();

describe('a decision', () => {
  test('links are followed to where they lead, and ..', () => {
    symlinkSync(at('data/photos'), at('share/to-photos'));
    symlinkSync(at('database'), at('data/out'));
    assert.equal(reason(at('share/to-photos')), 'ro');
    assert.equal(reason(at('data/out')), 'root');
    assert.equal(reason(`${at('data')}/../database`), 'root');
    assert.equal(reason(`${at('database')}/../data/photos/`), 'ro');
    assert.equal(reason(at('database')), 'root');
    symlinkSync(at('loop'), at('loop'));
    assert.equal(reason(at('loop')), 'missing');
  });

  test('what is no folder is named', () => {
    writeFileSync(at('data/file'), '');
    execFileSync('mkfifo', [at('data/pipe')]);
    assert.deepEqual([reason(at('data/file')), reason(at('data/pipe'))], ['kind', 'kind']);
    assert.equal(reason(at('data/file/x')), 'missing');
  });

  test('the install is not for agents, wherever it is seen from', () => {
    allow({ path: '/', allowReadWrite: true });
    symlinkSync(install.root, at('data/install'));
    for (const path of ['', 'data', 'groups', 'groups/andy']) {
      assert.equal(reason(join(install.root, path)), 'own', path);
      assert.equal(reason(join(at('data/install'), path)), 'own', path);
    }
    assert.equal(reason(at('config')), 'own');
    assert.equal(reason(root), 'own', 'it holds the list');
    assert.equal(reason('/'), 'system');
    mkdirSync(join(install.root, 'docs'));
    assert.equal(reason(join(install.root, 'docs'), true), 'ro', 'the host runs from there');
  });

  test('keys at its top', () => {
    mkdirSync(at('data/home/.gnupg'), { recursive: true });
    assert.equal(reason(at('data/home')), 'holds');
    symlinkSync('/nowhere', at('data/photos/.netrc'));
    assert.equal(reason(at('data/photos')), 'holds');
    mkdirSync(at('data/project'));
    assert.equal(reason(at('data/project')), 'ro');
    writeFileSync(at('data/project/.Env.local'), '');
    assert.equal(reason(at('data/project')), 'holds');
    mkdirSync(at('share/Taxes'));
    assert.equal(reason(at('share')), 'ro');
    writeFileSync(
      at('config/list.json'),
      JSON.stringify({ allowedRoots: [{ path: root }], blockedPatterns: ['Taxes'] }),
    );
    assert.deepEqual([reason(at('share')), reason(at('share/Taxes'))], ['holds', 'name']);
  });

  test('what everybody may replace, and what an agent could', () => {
    mkdirSync(at('data/open/x'), { recursive: true });
    chmodSync(at('data/open'), 0o777);
    assert.equal(reason(at('data/open/x')), 'parents');
    assert.ok(add(at('share/bob'), { rw: true }).ok);
    assert.equal(reason(at('share/bob/inner')), 'agents');
    assert.equal(reason(at('share/bob')), 'ro');
    assert.ok(directory.remove(install.agentId, 'bob', BY, NOW).ok);
    assert.equal(reason(at('share/bob/inner')), 'ro');
  });

  test('what is taken out of the list is out at once', () => {
    assert.equal(reason(at('data')), 'ro');
    allow();
    assert.equal(reason(at('data')), 'root');
    chmodSync(at('config/list.json'), 0o666);
    assert.equal(reason(at('data')), 'list');
  });

  test('a folder is known by what it is, not by its path', () => {
    const identity = () => {
      const found = findPath(at('data/photos'), []);
      return 'real' in found ? found.identity : undefined;
    };
    const before = identity();
    assert.match(String(before), /^\d+:\d+$/);
    assert.equal(identity(), before);
    renameSync(at('data/photos'), at('data/old'));
    mkdirSync(at('data/photos'));
    assert.notEqual(identity(), before);
  });
});

describe('what the owner does', () => {
  test('added, listed, removed, and audited', () => {
    const added = add(at('data/photos'));
    assert.partialDeepStrictEqual(added, { ok: true, data: { name: 'photos', usable: true } });
    assert.partialDeepStrictEqual(directory.list(install.agentId), [{ name: 'photos', agent: 'Andy', rw: false }]);
    assert.deepEqual(directory.list('ag-other'), []);
    assert.ok(directory.remove(install.agentId, 'photos', BY, NOW).ok);
    assert.deepEqual(directory.list(), []);
    assert.deepEqual(
      audited().map(({ action }) => action),
      ['mount.added', 'mount.removed'],
    );
  });

  test('for no agent in particular, of several, no user is tried or named', () => {
    const [agent] = listAgentGroups(install.db);
    assert.ok(agent);
    const several = createMountDirectory({
      agents: () => [agent, { ...agent, id: 'ag-other' }],
      change: createChange(install.db, createAudit(install.db)),
      mounts,
      uidFor: () => 4_000_000,
    });
    assert.partialDeepStrictEqual(several.check(at('data'), false), { ok: true, data: { usable: true, uid: null } });
    assert.partialDeepStrictEqual(several.check(at('data'), false, agent.id), { ok: true, data: { uid: 4_000_000 } });
  });

  const bad: [name: string, call: () => { ok: boolean; code?: string }, code: string][] = [
    ['a folder that is not allowed', () => add(at('database')), 'NC_MOUNT'],
    ['a name with a slash', () => add(at('data'), { name: 'a/b' }), 'NC_USAGE'],
    ['a name that is ..', () => add(at('data'), { name: '..' }), 'NC_USAGE'],
    ['an empty name', () => add(at('data'), { name: '' }), 'NC_USAGE'],
    ['a name with a line break', () => add(at('data'), { name: 'a\nb' }), 'NC_USAGE'],
    ['a name that turns the writing', () => add(at('data'), { name: 'a\u202eb' }), 'NC_USAGE'],
    ['a name of 10,000 letters', () => add(at('data'), { name: 'x'.repeat(10_000) }), 'NC_USAGE'],
    ['the same name in capitals', () => twice({ name: 'DATA' }), 'NC_EXISTS'],
    [
      'a group that is not there',
      () => directory.add('ag-none', { path: at('data'), rw: false }, BY, NOW),
      'NC_NOT_FOUND',
    ],
    ['to remove what is not there', () => directory.remove(install.agentId, 'x', BY, NOW), 'NC_NOT_FOUND'],
    ['to check for nobody', () => directory.check(at('data'), false, 'ag-none'), 'NC_NOT_FOUND'],
  ];
  function twice(more: { name: string }) {
    assert.ok(add(at('data')).ok);
    return add(at('data/photos'), more);
  }
  for (const [name, call, code] of bad) {
    test(`${name} is refused`, () => {
      const before = directory.list().length;
      assert.partialDeepStrictEqual(call(), { ok: false, code });
      assert.ok(directory.list().length <= before + 1);
    });
  }

  test('names in any script, with blanks', () => {
    assert.ok(add(at('data'), { name: 'Meine Fotos 2026' }).ok);
    assert.ok(add(at('data'), { name: '写真' }).ok);
  });

  test("a sandbox's own user may not read what only its owner may", {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, () => {
    const uid = 1_879_048_193;
    chmodSync(at('data/photos'), 0o750);
    assert.ok(!mayUse(at('data/photos'), uid, false));
    chmodSync(at('data/photos'), 0o755);
    // The folders above don't matter: root puts it where the sandbox reaches it.
    chmodSync(at('data'), 0o700);
    assert.deepEqual(
      [false, true].map((write) => mayUse(at('data/photos'), uid, write)),
      [true, false],
    );
    chownSync(at('data/photos'), uid, uid);
    assert.ok(mayUse(at('data/photos'), uid, true));
  });
});

describe('a start', () => {
  const start = () => {
    const { shared, leftOut } = mounts.forStart(install.agentId);
    const news = transaction(install.db, () => mounts.takeNews(install.agentId, leftOut, NOW));
    return { shared: shared.map(({ name, mount }) => `${mount.mode} ${name}`), news: news.map(({ name }) => name) };
  };

  test('what is refused is left out, and told once for each reason', () => {
    add(at('data/photos'));
    add(at('share'), { rw: true });
    assert.deepEqual(start(), { shared: ['ro photos', 'rw share'], news: [] });
    renameSync(at('data/photos'), at('data/away'));
    assert.deepEqual(start(), { shared: ['rw share'], news: ['photos'] });
    assert.deepEqual(start(), { shared: ['rw share'], news: [] }, 'not at each start');
    allow({ path: at('share'), allowReadWrite: true });
    renameSync(at('data/away'), at('data/photos'));
    assert.deepEqual(start(), { shared: ['rw share'], news: ['photos'] }, 'another reason');
    allow({ path: at('data') }, { path: at('share') });
    assert.deepEqual(start(), { shared: ['ro photos', 'ro share'], news: [] });
    renameSync(at('data/photos'), at('data/away'));
    assert.deepEqual(start().news, ['photos'], 'again, after it was there');
    assert.equal(audited().filter(({ action }) => action === 'mount.refused').length, 3);
  });

  test('a link that was put in its place leads nowhere new', () => {
    add(at('data/photos'));
    renameSync(at('data/photos'), at('data/away'));
    symlinkSync(at('database'), at('data/photos'));
    assert.deepEqual(start(), { shared: [], news: ['photos'] });
    rmSync(at('data/photos'));
    symlinkSync(at('data/away'), at('data/photos'));
    const [{ mount } = assert.fail('it is allowed')] = mounts.forStart(install.agentId).shared;
    assert.equal(mount.source, at('data/away'));
  });

  test("inside there are the folders' places and no others", () => {
    mkdirSync(at('places'));
    add(at('data/photos'));
    add(at('share'), { rw: true });
    const { shared } = mounts.forStart(install.agentId);
    assert.deepEqual(
      mountShared(at('places'), shared).map(({ mode, target }) => `${mode} ${target}`),
      ['ro /workspace/extra', 'ro /workspace/extra/photos', 'rw /workspace/extra/share'],
    );
    assert.deepEqual(readdirSync(at('places')), ['photos', 'share']);
    mountShared(at('places'), shared.slice(1));
    assert.deepEqual(readdirSync(at('places')), ['share']);
    assert.deepEqual(mountShared(at('places'), []), []);
  });
});
