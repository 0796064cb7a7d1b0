import { test } from 'node:test';
import { checkSeeds } from './crash-runs.ts';

test('killed at any point, no message is lost, doubled or left open, and nothing stays behind', (t) =>
  checkSeeds(t, 1, 25));
