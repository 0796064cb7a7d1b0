import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { approversFor, type Grant } from './approvers.ts';

const scoped = (userId: string, agentGroupId = 'ag-1'): Grant => ({ userId, role: 'admin', agentGroupId });
const global = (userId: string): Grant => ({ userId, role: 'admin', agentGroupId: null });
const owner = (userId: string): Grant => ({ userId, role: 'owner', agentGroupId: null });

const cases: { name: string; grants: Grant[]; agent?: string | null; channel?: string | null; asked: string[] }[] = [
  { name: 'nobody has a right', grants: [], asked: [] },
  { name: 'an owner alone', grants: [owner('t:o')], asked: ['t:o'] },
  {
    name: 'by class, whatever the order of the rights',
    grants: [owner('t:o'), global('t:g'), scoped('t:s')],
    asked: ['t:s', 't:g', 't:o'],
  },
  {
    name: 'the same channel first, inside a class only',
    grants: [scoped('x:s1'), scoped('t:s2'), global('x:g1'), global('t:g2'), owner('t:o')],
    asked: ['t:s2', 'x:s1', 't:g2', 'x:g1', 't:o'],
  },
  {
    name: 'the older right first, where the channel decides nothing',
    grants: [owner('x:1'), owner('y:2'), owner('x:3')],
    asked: ['x:1', 'y:2', 'x:3'],
  },
  { name: 'admins of another agent are none', grants: [scoped('t:s', 'ag-2'), owner('x:o')], asked: ['x:o'] },
  {
    name: 'another account of the same platform is near',
    channel: 't-work',
    grants: [owner('x:1'), owner('t:2')],
    asked: ['t:2', 'x:1'],
  },
  {
    name: 'no agent yet: nobody is its admin',
    agent: null,
    grants: [scoped('t:s'), global('t:g'), owner('t:o')],
    asked: ['t:g', 't:o'],
  },
  {
    name: 'several rights: asked once, as early as the first of them',
    grants: [owner('t:a'), scoped('t:a'), global('t:b'), owner('t:b')],
    asked: ['t:a', 't:b'],
  },
  { name: 'no channel: nobody is near', channel: null, grants: [owner('t:1'), owner('x:2')], asked: ['t:1', 'x:2'] },
  {
    name: 'a channel that only begins alike is another one',
    channel: 't',
    grants: [owner('t-work:1'), owner('t:2')],
    asked: ['t:2', 't-work:1'],
  },
];

describe('who is asked', () => {
  for (const { name, grants, agent = 'ag-1', channel = 't', asked } of cases) {
    test(name, () => assert.deepEqual(approversFor(grants, agent, channel), asked));
  }
});

test('who asked for it is asked first, if they may decide it', () => {
  const grants = [scoped('t:s'), global('t:g'), owner('x:o')];
  assert.deepEqual(approversFor(grants, 'ag-1', 't', 'x:o'), ['x:o', 't:s', 't:g']);
  assert.deepEqual(approversFor(grants, 'ag-1', 't', 't:stranger'), ['t:s', 't:g', 'x:o']);
});
