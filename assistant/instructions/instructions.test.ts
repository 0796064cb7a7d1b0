import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ContainerConfig } from '@nanoclaw/protocol';
import type { Job } from '../../src/activity.ts';
import { createAudit } from '../../src/audit/index.ts';
import { transaction } from '../../src/db/group-commit.ts';
import type { Session } from '../../src/db/sessions.ts';
import { createInstall } from '../../test/support/central.ts';
import { createModels } from '../model/index.ts';
import { createInstructions } from './index.ts';

const CODE = join(import.meta.dirname, '../..');

/** What an agent finds in /app/group, on a fresh install; its sandboxes are only said to run. */
function start(env: Record<string, string> = {}) {
  const install = createInstall();
  const { db, root, sessions, messages, takeOver } = install;
  const folder = join(root, 'group');
  mkdirSync(folder);
  const running = new Map<string, 'starting' | 'running'>();
  const turns = new Map<string, number | null>();
  const jobs = new Map<string, Job>();
  const [stopped, published, delivered]: string[][] = [[], [], []];
  const models = createModels({ db, env: () => env });
  const instructions = createInstructions({
    db,
    code: CODE,
    paths: { root },
    models,
    sessions,
    messages,
    takeOver,
    audit: createAudit(db),
    runner: {
      list: () =>
        [...running].map(([sessionId, phase]) => ({ sessionId, agentGroupId: install.agentId, startedAt: 0, phase })),
      async stop(id, _grace, reason) {
        running.delete(id);
        stopped?.push(`${id} ${reason}`);
      },
    },
    activity: { get: (id) => (running.has(id) ? { turnSince: turns.get(id) ?? null, jobs } : undefined) },
    groupFolder: () => folder,
    publish: (id) => void published?.push(id),
    deliver: (ids) => void delivered?.push(...ids),
    log: { error: (message) => assert.fail(message) },
  });
  return {
    ...install,
    instructions,
    running,
    turns,
    jobs,
    stopped,
    published,
    delivered,
    [Symbol.dispose]: () => install[Symbol.dispose](),
    set: (sql: string) => db.exec(`UPDATE container_configs SET ${sql}`),
    compose(session: Session, provider = 'demo') {
      instructions.compose(folder, session, { provider, providerEnv: {}, memoryBytes: 1, shared: [], leftOut: [] });
    },
    read: (path: string) => readFileSync(join(folder, path), 'utf8'),
    config: () => ContainerConfig.parse(JSON.parse(readFileSync(join(folder, 'container.json'), 'utf8'))),
    folder,
  };
}

test('the files are the same for the same settings; others may read them', () => {
  using rig = start();
  const session = rig.newSession();
  rig.set(
    `mcp_servers = '{"b":{"command":"b"},"a":{"command":"a","instructions":"About a."}}', instructions = 'Say moin.'`,
  );
  rig.compose(session);
  const [config, text] = [rig.read('container.json'), rig.read('CLAUDE.md')];
  rig.set(`mcp_servers = '{"a":{"command":"a","instructions":"About a."},"b":{"command":"b"}}'`);
  rig.compose(session);
  assert.deepEqual([rig.read('container.json'), rig.read('CLAUDE.md')], [config, text]);
  assert.match(text, /Say moin\.[\s\S]*About a\./);
  assert.doesNotMatch(text, /\d\d:\d\d/, 'no times');
  for (const path of ['container.json', 'CLAUDE.md', 'skills/welcome/SKILL.md']) {
    assert.equal(statSync(join(rig.folder, path)).mode & 0o777, 0o644);
  }
});

test('what is said of ncl is said to those that have it', () => {
  using rig = start();
  const session = rig.newSession();
  rig.compose(session);
  assert.match(rig.read('CLAUDE.md'), /^## ncl$/m);
  rig.set("cli_scope = 'disabled'");
  rig.compose(session);
  assert.doesNotMatch(rig.read('CLAUDE.md'), /^## ncl$/m);
  assert.match(rig.read('CLAUDE.md'), /^## Tasks$/m);
});

test('automatic skills follow the chats: the general ones, and those of the channels that it is on', () => {
  using rig = start();
  const session = rig.newSession();
  const names = () => {
    rig.compose(session);
    return rig.config().skills;
  };
  assert.deepEqual(names(), ['agent-browser', 'self-customize', 'terminal-formatting', 'welcome']);
  rig.db.exec(`INSERT INTO channel_instances (instance, channel, created_at) VALUES ('slack-work', 'slack', '');
    INSERT INTO messaging_groups (id, channel_type, platform_id, created_at) VALUES ('mg-1', 'slack-work', 'C1', '');
    INSERT INTO agent_destinations VALUES ('${rig.agentId}', 'team', 'channel', 'mg-1', '')`);
  assert.deepEqual(names(), ['agent-browser', 'self-customize', 'slack-formatting', 'terminal-formatting', 'welcome']);
  rig.set("skills = 'none'");
  assert.deepEqual(names(), []);
});

test('a skill that can not be used is told once where somebody waits, and again when the reason is another one', () => {
  using rig = start();
  const session = rig.newSession();
  const skill = join(rig.root, 'data/skills/mine');
  mkdirSync(skill, { recursive: true });
  rig.compose(session);
  assert.deepEqual(rig.delivered, [], 'nobody waits: it stays news');
  transaction(rig.db, () =>
    rig.messages.addInbound(
      {
        id: 'm1',
        sessionId: session.id,
        kind: 'chat',
        timestamp: new Date().toISOString(),
        trigger: true,
        content: { text: 'hi', sender: 'Owner' },
        channel_type: 'terminal',
        platform_id: 'local',
        thread_id: null,
      },
      Date.now(),
    ),
  );
  rig.compose(session);
  rig.compose(session);
  const said = () => rig.delivered?.map((id) => String(JSON.parse(rig.deliveries.get(id)?.content ?? '{}').text));
  assert.deepEqual(said(), ['⚠️ I have to do without the skill “mine”: it has no SKILL.md.']);
  writeFileSync(join(skill, 'SKILL.md'), 'no head');
  rig.compose(session);
  assert.equal(said()?.length, 2);
  writeFileSync(join(skill, 'SKILL.md'), '---\nname: mine\ndescription: Mine.\n---\n');
  rig.compose(session);
  assert.deepEqual(rig.config().skills?.includes('mine'), true);
  assert.equal(said()?.length, 2);
  const audited = rig.db.prepare("SELECT count(*) AS n FROM audit_log WHERE action = 'skill.left-out'").get();
  assert.equal(audited?.n, 2);
});

test('a name, a model and an effort reach a sandbox that runs; what is taken away goes', () => {
  using rig = start({ NANOCLAW_MODEL: 'of-the-install' });
  const session = rig.newSession();
  rig.compose(session);
  rig.running.set(session.id, 'running');
  rig.set("model = 'own', effort = 'high', assistant_name = 'Bob'");
  rig.instructions.changed(rig.agentId);
  const { model, effort, assistantName } = rig.config();
  assert.deepEqual([model, effort, assistantName], ['own', 'high', 'Bob']);
  assert.deepEqual(rig.published, [session.id]);
  rig.set("model = '', effort = NULL");
  rig.instructions.changed(rig.agentId);
  assert.deepEqual([rig.config().model, rig.config().effort], ['of-the-install', undefined]);
  assert.deepEqual(rig.stopped, []);
});

test('for another provider a sandbox ends when it rests, and not before; the model of the one is none of the other', () => {
  using rig = start();
  const session = rig.newSession();
  rig.set("model = 'of-demo'");
  rig.compose(session);
  rig.running.set(session.id, 'running');
  rig.turns.set(session.id, 5);
  rig.db.exec("UPDATE sessions SET provider = 'claude', model = 'of-claude'");
  rig.instructions.changed(rig.agentId);
  rig.instructions.look();
  assert.deepEqual([rig.config().provider, rig.config().model, rig.stopped], ['demo', 'of-demo', []]);
  rig.turns.set(session.id, null);
  rig.jobs.set('j1', { what: 'looking', asked: null, since: 0 });
  rig.instructions.look();
  assert.deepEqual(rig.stopped, [], 'what goes on behind its turns is work');
  rig.jobs.clear();
  rig.instructions.look();
  assert.deepEqual(rig.stopped, [`${session.id} provider`]);
  rig.compose(session, rig.instructions.provider(session));
  assert.deepEqual([rig.config().provider, rig.config().model], ['claude', 'of-claude']);
});

test('changed back in time, it goes on; one that starts in between is looked at again', () => {
  using rig = start();
  const session = rig.newSession();
  rig.compose(session);
  rig.running.set(session.id, 'starting');
  rig.set("provider = 'claude'");
  rig.instructions.changed(rig.agentId);
  assert.deepEqual(rig.stopped, [], 'it has not come up yet');
  rig.set("provider = ''");
  rig.running.set(session.id, 'running');
  rig.instructions.look();
  assert.deepEqual(rig.stopped, []);
  rig.set("provider = 'claude'");
  // It was started with the one, while the other was chosen.
  rig.compose(session, 'demo');
  assert.deepEqual(rig.stopped, [`${session.id} provider`]);
});
