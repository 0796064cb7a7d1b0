import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inForce, type Level, type Wishes } from './decide.ts';
import { installDefaults } from './defaults.ts';

type Set = Partial<Record<Level, Wishes>>;
const of = ({ session = {}, group = {}, default: install = {} }: Set) => {
  const { provider, model, effort } = inForce({ session, group, default: install });
  return [provider, model, effort].map(({ value, from }) => `${value ?? '-'} ${from ?? '-'}`).join(', ');
};

describe('what is in force', () => {
  const cases: [what: string, set: Set, expected: string][] = [
    ['nothing is set', {}, 'demo -, - -, - -'],
    [
      'the install',
      { default: { provider: 'claude', model: 'm', effort: 'low' } },
      'claude default, m default, low default',
    ],
    [
      'the group before the install',
      { group: { provider: 'claude', model: 'g', effort: 'high' }, default: { model: 'm', effort: 'low' } },
      'claude group, g group, high group',
    ],
    [
      'the session before both, each by itself',
      {
        session: { model: 's' },
        group: { provider: 'claude', model: 'g', effort: 'high' },
        default: { provider: 'demo' },
      },
      'claude group, s session, high group',
    ],
    [
      'empty is none, at each level',
      {
        session: { provider: '', model: ' ', effort: null },
        group: { provider: '', model: '', effort: '' },
        default: { provider: 'claude', model: 'm', effort: 'max' },
      },
      'claude default, m default, max default',
    ],
    [
      'a model of another provider is none',
      {
        session: { provider: 'demo' },
        group: { provider: 'claude', model: 'g', effort: 'low' },
        default: { model: 'm' },
      },
      'demo session, m default, low group',
    ],
    [
      "nor is the install's, where it names its provider",
      { group: { provider: 'demo' }, default: { provider: 'claude', model: 'm' } },
      'demo group, - -, - -',
    ],
    [
      'a group without a provider has a model of the one that the install has',
      { session: { provider: 'demo', model: 's' }, group: { model: 'g' }, default: { provider: 'claude' } },
      'demo session, s session, - -',
    ],
  ];
  for (const [what, set, expected] of cases) test(what, () => assert.equal(of(set), expected));
});

test('the settings of an install: what can not be read counts as none, and is told', () => {
  assert.deepEqual(installDefaults({ NANOCLAW_MODEL: ' m ', NANOCLAW_EFFORT: '' }), {
    wishes: { provider: '', model: 'm', effort: '' },
    problems: [],
  });
  const { wishes, problems } = installDefaults({
    NANOCLAW_PROVIDER: '../x',
    NANOCLAW_MODEL: 'two words',
    NANOCLAW_EFFORT: 'enormous',
  });
  assert.deepEqual(wishes, { provider: '', model: '', effort: '' });
  assert.equal(problems.length, 3);
  assert.match(problems[2] ?? '', /^NANOCLAW_EFFORT in \.env is passed over: Effort is one of low, /);
});
