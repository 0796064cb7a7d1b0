import { test } from 'node:test';
import { checkSeeds } from './crash-runs.ts';

/** In a file of its own: one may take three minutes, on a machine with much else to do. */
test('the same at the other points, and at later times', (t) => checkSeeds(t, 26, 50));
