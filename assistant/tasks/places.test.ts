import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../../test/support/directory.ts';
import { stage, T0 } from './testing/stage.ts';

/** Where a task speaks. */

test('who asks at a terminal is there: what is made without a destination speaks in that chat, however many there are', async () => {
  await using world = createWorld();
  using scene = stage(world);
  const { agentId, chatId } = world.install;
  const [at, query] = [new Date(T0).toISOString(), world.query];
  query(
    `INSERT INTO messaging_groups (id, channel_type, platform_id, is_group, created_at) VALUES ('mg-far', 'far', 'a', 1, ?)`,
    at,
  );
  query(
    `INSERT INTO agent_destinations (agent_group_id, local_name, target_type, target_id, created_at)
    VALUES (?, 'a-far', 'channel', 'mg-far', ?)`,
    agentId,
    at,
  );
  assert.equal(scene.create({ when: 'in 20 minutes' }).chatId, chatId);
  const elsewhere = { actor: 'other:owner', scope: null };
  const refused = scene.tasks.changes.create(agentId, { when: 'in 20 minutes', prompt: 'x' }, undefined, elsewhere, T0);
  assert.match(
    refused.ok ? '' : (refused.detail ?? ''),
    /Say where it speaks: --to <destination>\. This agent's: a-far, /,
  );
});
