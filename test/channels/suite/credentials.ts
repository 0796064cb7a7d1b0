import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelAdapter, ChannelHost } from '../../../src/channels/adapter.ts';
import { until } from '../../support/until.ts';
import type { ChannelUnderTest } from '../contract.ts';
import { contextFor, PATIENCE_MS } from './stage.ts';

/** With credentials that are refused: an account that never starts. */
export async function badCredentials(under: ChannelUnderTest): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-contract-'));
  const far = await under.farEnd();
  const { refused } = far;
  assert.ok(refused, 'say in `cannot` why there are none');
  const context = contextFor(under.name, folder, refused);
  const host: ChannelHost = {
    accept: () => Promise.resolve({ status: 'duplicate' }),
    press: () => Promise.resolve(''),
    available: () => {},
  };
  let adapter: ChannelAdapter | undefined;
  try {
    let sentence: string | undefined;
    try {
      adapter = under.create(context);
      const made = adapter;
      await made.start(host);
      await until(() => made.health?.().state === 'failed', PATIENCE_MS);
      sentence = made.health?.().detail;
    } catch (error) {
      sentence = error instanceof Error ? error.message : String(error);
    }
    assert.ok(sentence);
    const secrets = Object.entries(refused).filter(([key, value]) => value !== far.settings[key]);
    for (const [, value] of secrets) assert.ok(!sentence.includes(value), sentence);
  } finally {
    await adapter?.stop();
    await far.close();
    context.log.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
