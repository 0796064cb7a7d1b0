import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountPoints, mountSteps } from './mounts.ts';

const mounts = [
  { source: '/m/docs', target: '/workspace/extra/deep/docs', mode: 'ro' as const },
  { source: '/box', target: '/workspace', mode: 'rw' as const },
  { source: '/app', target: '/app', mode: 'ro' as const },
];

test('what lies between a writable mount and one nested in it is pinned', () => {
  assert.deepEqual(
    mountSteps(mounts).map(({ source, below, target, mode }) => `${mode} ${source}+${below} ${target}`),
    [
      'ro /app+ /app',
      'rw /box+ /workspace',
      'rw /box+extra /workspace/extra',
      'rw /box+extra/deep /workspace/extra/deep',
      'ro /m/docs+ /workspace/extra/deep/docs',
    ],
  );
});

test('mount points are needed where the enclosing mount is writable, and nowhere else', () => {
  assert.deepEqual(mountPoints(mounts), [{ root: '/box', components: ['extra', 'deep', 'docs'], source: '/m/docs' }]);
});
