import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tablesBelow } from '../../test/support/markdown-table.ts';
import { type Decision, decide, type Facts, STANDINGS, type Terms } from './decide.ts';
import { sessionKey } from './session-key.ts';

/** docs/routing.md is the specification: every combination of its columns, against the code. */

const page = readFileSync(join(import.meta.dirname, '../../docs/routing.md'), 'utf8');
const table = (heading: string) => tablesBelow(page, heading)[0] ?? [];
const [meant, may, happens, sessions] = [
  '1. Is the agent meant?',
  '2. May this sender?',
  '3. What happens',
  '4. Into which session',
].map(table);

/** The last column of the first row that fits. */
function lookUp(rows: readonly Record<string, string>[] | undefined, facts: Record<string, string>): string {
  const row = rows?.find((one) =>
    Object.entries(facts).every(([name, value]) => {
      assert.ok(name in one, `there is no column ${name}`);
      return one[name] === 'any' || one[name] === value;
    }),
  );
  assert.ok(row, `no row for ${JSON.stringify(facts)}`);
  return Object.values(row).at(-1) ?? '';
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no');
const words = (decision: Decision): string => {
  switch (decision.do) {
    case 'engage':
      return 'answered';
    case 'ask':
      return 'asked';
    case 'accumulate':
      return `kept: ${decision.reason}`;
    case 'drop':
      return `dropped: ${decision.reason}`;
  }
};

function* combinations(): Generator<[Terms, Facts]> {
  for (const engageMode of ['pattern', 'mention', 'mention-sticky'] as const)
    for (const senderScope of ['all', 'known'] as const)
      for (const ignoredMessagePolicy of ['drop', 'accumulate'] as const)
        for (const addressed of [true, false])
          for (const pattern of ['match', 'no-match', 'invalid', 'too-slow'] as const)
            for (const sticky of [true, false])
              for (const standing of STANDINGS)
                for (const unknownSenderPolicy of ['strict', 'request_approval', 'public'] as const)
                  for (const taken of [true, false])
                    yield [
                      { engageMode, senderScope, ignoredMessagePolicy },
                      { addressed, pattern, sticky, standing, unknownSenderPolicy, taken },
                    ];
}

describe('docs/routing.md', () => {
  test('says of every combination what the code does', () => {
    let count = 0;
    for (const [terms, facts] of combinations()) {
      const isMeant = lookUp(meant, {
        engage_mode: terms.engageMode,
        addressed: yesNo(facts.addressed),
        sticky: yesNo(facts.sticky),
        pattern: facts.pattern,
      });
      const isAllowed = lookUp(may, {
        sender: facts.standing,
        unknown_sender_policy: facts.unknownSenderPolicy,
        sender_scope: terms.senderScope,
      });
      const expected = lookUp(happens, {
        meant: isMeant,
        taken: yesNo(facts.taken),
        may: isAllowed,
        ignored_message_policy: terms.ignoredMessagePolicy,
      });
      assert.equal(words(decide(terms, facts)), expected, JSON.stringify({ terms, facts }));
      count += 1;
    }
    assert.equal(count, 3 * 2 * 2 * 2 * 4 * 2 * 5 * 3 * 2);
  });

  test('only a wiring that sticks sticks', () => {
    for (const [terms, facts] of combinations()) {
      const decision = decide(terms, facts);
      if (decision.do === 'engage') assert.equal(decision.stick, terms.engageMode === 'mention-sticky');
    }
  });

  test('names the session of every combination', () => {
    for (const sessionMode of ['agent-shared', 'shared', 'per-thread'] as const)
      for (const threads of [true, false])
        for (const isGroup of [true, false]) {
          const key = sessionKey({ sessionMode, messagingGroupId: 'mg-1' }, { threadId: 't', isGroup }, threads);
          const found = key.messagingGroupId === null ? 'the agent' : key.threadId === null ? 'the chat' : 'the thread';
          const chat = isGroup ? 'group' : 'alone';
          const expected = lookUp(sessions, {
            session_mode: sessionMode,
            'platform has threads': yesNo(threads),
            chat,
          });
          assert.equal(found, expected, JSON.stringify({ sessionMode, threads, isGroup }));
        }
  });

  test('has no row that nothing reaches', () => {
    const reached = new Set<string>();
    for (const [terms, facts] of combinations()) reached.add(words(decide(terms, facts)));
    for (const row of happens ?? []) assert.ok(reached.has(row['what happens'] ?? ''), JSON.stringify(row));
  });
});
