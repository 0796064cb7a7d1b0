import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inUsd, inWords, readAmount, suggestion } from './amounts.ts';
import { budgetsOf, DEFAULT_DAY_USD, nearlyUsedUp, standings, usedUp } from './decide.ts';
import { dayOf, daysOf, endOf } from './periods.ts';

test('an amount is a number as people write it, and nothing else', () => {
  const good: [string, number | null][] = [
    ['20', 20],
    ['$2.50', 2.5],
    ['0', 0],
    ['0.000001', 0.000001],
    ['100000', 100_000],
    ['none', null],
    ['NONE', null],
  ];
  for (const [written, amount] of good) assert.deepEqual(readAmount(written, 'usd'), { ok: true, amount }, written);
  const bad = [
    '',
    '-1',
    'NaN',
    'Infinity',
    '1e9',
    '0x10',
    '1,5',
    '20€',
    'null',
    '١٠',
    '100001',
    '1.1234567',
    `${'9'.repeat(400)}`,
  ];
  for (const written of bad) {
    const read = readAmount(written, 'usd');
    assert.ok(!read.ok && read.problem.length < 150 && read.problem.endsWith('.'), written);
  }
  assert.deepEqual(readAmount('1.5', 'tokens'), { ok: false, problem: 'Tokens are counted whole.' });
  assert.deepEqual(readAmount('500000', 'tokens'), { ok: true, amount: 500_000 });
  assert.deepEqual(
    [inUsd(0), inUsd(0.001), inUsd(2.5), inWords(1_250_000, 'tokens')],
    ['$0', 'less than $0.01', '$2.50', '1.3 M tokens'],
  );
});

test('what is suggested would be enough, and is an amount', () => {
  const of: [amount: number, spent: number, unit: 'usd' | 'tokens', suggested: string][] = [
    [10, 10.01, 'usd', '20'],
    [0.2, 0.3, 'usd', '1'],
    [0, 0, 'usd', '10'],
    [0, 70.5, 'usd', '141'],
    [1, 50, 'usd', '100'],
    [90_000, 90_000, 'usd', 'none'],
    [0, 0, 'tokens', '1000000'],
    [500, 600, 'tokens', '1000'],
  ];
  for (const [amount, spent, unit, suggested] of of) {
    assert.equal(suggestion(amount, spent, unit), suggested, `${amount}, ${spent}`);
    const read = readAmount(suggested, unit);
    assert.ok(read.ok && (read.amount === null || read.amount > spent));
  }
});

test('a budget counts where it is set; the default where the day of an agent is not', () => {
  const day = { agentGroupId: 'a', period: 'day', unit: 'usd', isDefault: false } as const;
  assert.deepEqual(
    budgetsOf('a', []).map(({ amount, isDefault }) => [amount, isDefault]),
    [[DEFAULT_DAY_USD, true]],
  );
  assert.equal(budgetsOf('a', [{ ...day, amount: 3 }]).length, 1);
  assert.equal(budgetsOf('a', [{ ...day, amount: null }])[0]?.amount, null);
  assert.equal(budgetsOf('b', [{ ...day, amount: 3 }])[0]?.isDefault, true);
  assert.equal(budgetsOf('b', [{ ...day, agentGroupId: null, amount: 3 }]).length, 2);
  const at = (amount: number | null, usd: number) => standings([{ ...day, amount }], () => ({ usd, tokens: 1e9 }));
  assert.ok(usedUp(at(0, 0)), 'of nothing, nothing');
  assert.ok(usedUp(at(10, 10)));
  assert.equal(usedUp(at(10, 9.999)), undefined);
  assert.equal(usedUp(at(null, 1e6)), undefined);
  assert.deepEqual(
    [7.9, 8, 9.9, 10].map((usd) => nearlyUsedUp(at(10, usd)).length),
    [0, 1, 1, 0],
  );
  assert.equal(nearlyUsedUp(at(0, 0)).length, 0);
  const both = standings(
    [
      { ...day, amount: 1 },
      { ...day, period: 'month', amount: 1 },
    ],
    () => ({ usd: 2, tokens: 0 }),
  );
  assert.equal(usedUp(both)?.period, 'month');
});

test('days and months end where the agent lives, over changes of the clocks', () => {
  const at = Date.parse('2027-03-27T23:30:00Z');
  assert.equal(dayOf(at, 'Europe/Berlin'), '2027-03-28');
  assert.equal(dayOf(at, 'America/New_York'), '2027-03-27');
  assert.equal(new Date(endOf('day', at, 'Europe/Berlin')).toISOString(), '2027-03-28T22:00:00.000Z');
  assert.equal(new Date(endOf('month', at, 'Europe/Berlin')).toISOString(), '2027-03-31T22:00:00.000Z');
  assert.deepEqual(daysOf('month', '2027-02-28'), ['2027-02-01', '2027-02-31']);
});
