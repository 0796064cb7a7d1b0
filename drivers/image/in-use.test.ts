import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeImageInUse, type Seen } from './in-use.ts';
import type { ImageStatus } from './status.ts';

const seen: Seen = { name: 'docker', image: 'own:latest', content: 'a', imageIsTheirs: false };
const noted: ImageStatus = {
  image: 'own:latest',
  engine: 'docker',
  content: 'a',
  state: 'ready',
  at: '2026-01-01T00:00:00Z',
  pid: 1,
  serves: true,
  tries: 0,
};
const gone = { ...seen, content: null };
const building: ImageStatus = { ...noted, state: 'building', step: 'step 1/9: RUN' };
const failed: ImageStatus = { ...noted, state: 'failed', reason: 'The disk is full.' };
const theirs: Seen = { ...seen, image: 'nope:latest', imageIsTheirs: true };

const cases: [name: string, Seen, ImageStatus | undefined, ok: boolean, said: string][] = [
  ['there, as it was made', seen, noted, true, 'own:latest is up to date.'],
  ['removed since', gone, noted, false, 'own:latest is not there, in docker.'],
  ['another than was made', { ...seen, content: 'b' }, noted, true, 'own:latest is there, in docker.'],
  ['nothing was noted', seen, undefined, true, 'own:latest is there, in docker.'],
  ['nothing was noted, and none is there', gone, undefined, false, 'own:latest is not there, in docker.'],
  [
    "being made beside the one that's there",
    seen,
    building,
    true,
    'own:latest is being made: step 1/9: RUN. The one from before serves meanwhile.',
  ],
  ['being made, and the one from before was removed', gone, building, true, 'own:latest is being made: step 1/9: RUN.'],
  [
    'being made in the other engine',
    seen,
    { ...building, engine: 'podman' },
    true,
    'own:latest is there, in docker. Meanwhile, for podman: own:latest is being made: step 1/9: RUN. The one from before serves meanwhile.',
  ],
  ['made in the other engine', gone, { ...noted, engine: 'podman' }, false, 'own:latest is not there, in docker.'],
  [
    'failed, and the one from before was removed',
    gone,
    failed,
    false,
    'own:latest could not be made: The disk is full.',
  ],
  ['failed in the other engine', seen, { ...failed, engine: 'podman' }, true, 'own:latest is there, in docker.'],
  [
    "the owner's",
    theirs,
    noted,
    true,
    'nope:latest is there, in docker. NANOCLAW_IMAGE names it: it is yours to make.',
  ],
  [
    "the owner's, not there",
    { ...theirs, content: null },
    noted,
    false,
    'nope:latest, which NANOCLAW_IMAGE names, is not there, in docker.',
  ],
];
for (const [name, what, note, ok, said] of cases) {
  test(name, () => {
    const text = describeImageInUse(what, note);
    assert.deepEqual([text.ok, text.detail], [ok, said]);
    assert.equal(text.remedy === undefined, ok);
  });
}
