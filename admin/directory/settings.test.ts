import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createWorld } from '../../test/support/directory.ts';
import type { ConfigChanges } from './index.ts';
import type { ModelWishes } from './model.ts';

/** What an agent is told, its skills and its model: for the agent, and for one conversation. */

const now = Date.now();

describe('for an agent', () => {
  const refused: [what: string, changes: ConfigChanges, sentence: RegExp][] = [
    [
      'a skill that there is not',
      { skills: 'welcome,other' },
      /There is no skill "other"\. There are telegram-form.*welcome/,
    ],
    ['a skill beside a word', { skills: 'all,welcome' }, /There is no skill "all"/],
    ['more than fits', { instructions: 'ä'.repeat(8_001) }, /at most 16000 bytes; this has 16002/],
    ['a control character', { instructions: 'a\u001bb' }, /control character/],
    ['one that is longer in UTF-8', { instructions: 'a\u0085b' }, /control character/],
    ['what is read otherwise than it is shown', { instructions: 'Ask \u202efirst' }, /direction of writing/],
    ['what looks like a key', { instructions: `It is ghp_${'a1'.repeat(18)}` }, /looks like a key/],
    ['a model of two words', { model: 'a b' }, /1 to 128 characters/],
    ['an effort that there is not', { effort: 'enormous' }, /Effort is one of/],
    ['a provider that is a path', { provider: '../demo' }, /small letters/],
  ];
  for (const [what, changes, sentence] of refused) {
    test(`${what} is refused`, async () => {
      await using world = createWorld();
      const before = world.query('SELECT * FROM container_configs');
      const done = world.directory.updateConfig(world.install.agentId, changes, world.owner, now);
      assert.ok(!done.ok);
      assert.match(done.detail ?? '', sentence);
      assert.deepEqual(world.query('SELECT * FROM container_configs'), before);
      assert.deepEqual(world.audited(), []);
    });
  }

  test('what is set is kept in one form; what is empty takes it away', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    const set = (changes: ConfigChanges) => {
      assert.deepEqual(directory.updateConfig(install.agentId, changes, owner, now), { ok: true, data: null });
      const [row] = world.query('SELECT provider, model, effort, skills, instructions FROM container_configs');
      return Object.values(row ?? {});
    };
    const instructions = ' Say moin.\n\nAlways. ';
    assert.deepEqual(set({ model: 'm', effort: 'high', skills: 'welcome, telegram-formatting', instructions }), [
      'demo',
      'm',
      'high',
      'telegram-formatting,welcome',
      'Say moin.\n\nAlways.',
    ]);
    assert.deepEqual(set({ provider: null, model: '', effort: '', skills: '', instructions: '' }), [
      '',
      null,
      null,
      'automatic',
      '',
    ]);
  });

  test('servers that say too much of themselves together are refused where the last one is added', async () => {
    await using world = createWorld();
    const { directory, owner, install } = world;
    const server = { command: 'x', args: [], env: {}, instructions: 'y'.repeat(9_000) };
    assert.ok(directory.addMcpServer(install.agentId, 'one', server, owner, now).ok);
    const second = directory.addMcpServer(install.agentId, 'two', server, owner, now);
    assert.match((!second.ok && second.detail) || '', /instructions of all its servers would have 18\d\d\d bytes/);
    assert.deepEqual(
      Object.keys(JSON.parse(String(world.query('SELECT mcp_servers AS s FROM container_configs')[0]?.s))),
      ['one'],
    );
  });
});

describe('for a conversation', () => {
  const of = (world: ReturnType<typeof createWorld>) => world.query('SELECT provider, model, effort FROM sessions')[0];

  test('each is set and taken away by itself', async () => {
    await using world = createWorld();
    const { id } = world.install.newSession();
    const set = (changes: ModelWishes) => world.directory.updateSession(id, changes, world.owner, now);
    assert.ok(set({ provider: 'demo', model: 'm', effort: 'low' }).ok);
    assert.deepEqual({ ...of(world) }, { provider: 'demo', model: 'm', effort: 'low' });
    assert.ok(set({ model: '', effort: null }).ok);
    assert.deepEqual({ ...of(world) }, { provider: 'demo', model: null, effort: null });
    assert.deepEqual(
      world.audited().map(({ action }) => action),
      ['session.updated', 'session.updated'],
    );
  });

  test("another agent's, one that is closed, nothing and nonsense are refused; a provider is not an agent's to change", async () => {
    await using world = createWorld();
    const { install, directory, owner } = world;
    const { id } = install.newSession();
    const refusal = (changes: ModelWishes, by = owner, session = id) => {
      const done = directory.updateSession(session, changes, by, now);
      return done.ok ? 'done' : `${done.code} ${done.detail}`;
    };
    assert.match(refusal({ model: 'm' }, world.scoped('ag-other')), /^NC_NOT_FOUND There is no session/);
    assert.match(refusal({ model: 'm' }, owner, 'sess-none'), /^NC_NOT_FOUND/);
    assert.match(refusal({ provider: null }, world.scoped(world.install.agentId)), /^NC_FORBIDDEN/);
    assert.match(refusal({}), /^NC_USAGE There is nothing to change/);
    assert.match(refusal({ effort: 'x' }), /^NC_USAGE Effort is one of/);
    assert.equal(refusal({ model: 'm' }, world.scoped(world.install.agentId)), 'done');
    install.db.exec("UPDATE sessions SET status = 'closed'");
    assert.match(refusal({ model: 'm' }), /^NC_NOT_FOUND It is closed/);
  });

  test("an agent can not take its provider's setting away either", async () => {
    await using world = createWorld();
    const done = world.directory.updateConfig(
      world.install.agentId,
      { provider: null },
      world.scoped(world.install.agentId),
      now,
    );
    assert.equal(!done.ok && done.code, 'NC_FORBIDDEN');
  });
});
