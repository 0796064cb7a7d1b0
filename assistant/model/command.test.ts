import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoles, ensureUser } from '../../src/people/roles.ts';
import { createWirings } from '../../src/routing/wirings.ts';
import { createWorld } from '../../test/support/directory.ts';
import { createModelCommand } from './command.ts';
import { createModels } from './index.ts';

/** A chat with the agent, where people send `/model`. */
function chat() {
  const world = createWorld();
  const { install, directory } = world;
  const { db, agentId, chatId, sessions } = install;
  const roles = createRoles(db);
  const models = createModels({ db, env: () => ({ NANOCLAW_MODEL: 'of-the-install', NANOCLAW_EFFORT: 'low' }) });
  const command = createModelCommand({ models, roles, directory });
  const [wiring] = createWirings(db, roles).of(chatId);
  assert.ok(wiring);
  return {
    ...world,
    agentId,
    find: () => sessions.find(agentId, chatId, null),
    say(text: string, senderId = 'terminal:owner') {
      ensureUser(db, senderId, 'Somebody', 0);
      const event = {
        channelType: 'terminal',
        platformId: 'local',
        threadId: null,
        platformMessageId: text,
        senderId,
        senderName: 'Somebody',
        text,
        timestamp: new Date(0).toISOString(),
        isMention: true,
        isGroup: false,
      };
      const ensure = () => sessions.ensure(agentId, chatId, null, 0);
      return command(wiring, { event, now: 0, wirings: [wiring] }, sessions.find(agentId, chatId, null), ensure);
    },
  };
}

test('it shows what is in force and whose word it is, to anybody, and makes no conversation', async () => {
  await using talk = chat();
  const shown = talk.say('/model', 'terminal:guest');
  assert.equal(
    shown,
    'Provider: demo (set for Andy). Model: of-the-install (the default of this install). Effort: low (the default of this install).',
  );
  assert.match(talk.say('/model'), /Change it here with \/model and a name/);
  assert.match(talk.say('/model default'), /^Nothing was set for this conversation\./);
  assert.equal(talk.find(), undefined);
  assert.deepEqual(talk.audited(), []);
});

test('an admin changes it for the conversation, step by step and back; each step is in the audit log', async () => {
  await using talk = chat();
  assert.match(talk.say('/model own'), /Model: own \(set for this conversation\)\. Effort: low \(the default/);
  assert.match(talk.say('/model effort max'), /Model: own \(set for this conversation\)\. Effort: max \(set for this/);
  assert.match(talk.say('/model effort default'), /Model: own .* Effort: low \(the default of this install\)/);
  assert.match(talk.say('/model default'), /Model: of-the-install \(the default of this install\)/);
  const id = talk.find()?.id;
  assert.ok(id);
  assert.deepEqual(talk.audited(), Array(4).fill({ actor: 'terminal:owner', action: 'session.updated', subject: id }));
});

test('who may only talk to it changes nothing, not even alone with it', async () => {
  await using talk = chat();
  assert.match(talk.say('/model own', 'terminal:guest'), /only admins of Andy may change it/);
  talk.install.db.prepare("INSERT INTO user_roles VALUES ('terminal:guest', 'admin', ?, NULL, '')").run(talk.agentId);
  assert.match(talk.say('/model own', 'terminal:guest'), /Model: own/);
});

test('bad input is answered in a sentence and changes nothing', async () => {
  await using talk = chat();
  assert.match(talk.say('/model effort enormous'), /Effort is one of low, medium, high, xhigh, max/);
  assert.match(talk.say(`/model ${'x'.repeat(129)}`), /1 to 128 characters/);
  assert.match(talk.say('/model a\u202eb'), /1 to 128 characters, without blanks/);
  assert.match(talk.say('/model two words'), /It is \/model and a name/);
  assert.equal(talk.find(), undefined);
  assert.deepEqual(talk.audited(), []);
});
