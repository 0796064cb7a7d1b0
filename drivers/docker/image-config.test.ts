import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseConfig } from './image-config.ts';

test('an image with a volume, or with settings for the loader, is refused by name; others are not', () => {
  const reasonOf = (volumes: string[], env: string[]) => refuseConfig('own:latest', { volumes, env })?.reason ?? null;
  assert.equal(reasonOf([], ['PATH=/usr/bin', 'OLD_LD_PRELOAD=x', 'LANG=LD_PRELOAD=x']), null);
  assert.match(reasonOf(['/data'], []) ?? '', /image own:latest has a volume at \/data/);
  assert.match(reasonOf([], ['PATH=/usr/bin', 'LD_PRELOAD=/x.so']) ?? '', /image own:latest sets LD_PRELOAD/);
  assert.match(reasonOf([], ['LD_AUDIT=']) ?? '', /sets LD_AUDIT/);
});
