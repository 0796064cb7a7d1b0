import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createActivities } from '../../src/activity.ts';
import { decideStop } from '../../src/host-sweep.ts';
import { createOutboundReader, type OutboundSnapshot } from '../../src/mailbox/outbound-reader.ts';
import { createMessagesApi, gate, message, say, TEST_KEY, tool } from '../fakes/messages-api/index.ts';
import { startHost, type TestHost } from '../support/host-process.ts';
import { sandboxProcesses } from '../support/sandbox-search.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

/** Tools that hang and tools that only take their time, in a real sandbox: what becomes of them, and what the host sees of them. */

/** The host's own way to look. */
const reader = createOutboundReader({ log: () => {} });
after(() => reader.stop());

/** It leaves its shell's group and session, and ignores a request to end. */
const DAEMON = `(setsid bash -c 'trap "" TERM; echo here > left; exec sleep 987654' >/dev/null 2>&1 &)`;
/** Runs nothing but itself, in a group of its own, and has been let go by the shell that it is a copy of. */
const FORK = `mkfifo p; ( set -m; (trap "" TERM HUP; echo here > left; while :; do read -t 1000 <> p; done) >/dev/null 2>&1 & )`;

test('of three tools one hangs: it ends with all that it started, and the answer has the results of the others', async () => {
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats: ['a'] });
  const id = platform.send(
    'a',
    `run side by side:
    sleep 2; echo slow
    with 1 second: ${DAEMON}; until [ -e left ]; do sleep 0.05; done; sleep 987654
    echo quick`,
  );
  await until(() => commands(host).filter((command) => command.includes('987654')).length >= 2);
  await until(() => platform.events.get(id)?.outcome === 'reply');
  assert.deepEqual(platform.said('a'), ['slow\n(exit code 0)\n\n(ended after 1 s)\n\nquick\n(exit code 0)']);
  await until(() => !commands(host).some((command) => command.includes('987654')));
  assert.ok(commands(host).length > 0, 'the sandbox itself goes on');
  assert.deepEqual((await look(host))?.tools, []);
});

test('the same with a real harness, which would let a hung command go on behind the turn', async () => {
  const api = await createMessagesApi();
  const env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url };
  await using host = await startHost({ provider: 'claude', env });
  const terminal = await host.terminal();
  const streaming = gate();
  api.script(
    message(
      tool('Bash', {
        command: `${FORK}; ${DAEMON}; until [ -e left ]; do sleep 0.05; done; sleep 987654`,
        timeout: 2000,
      }),
      tool('Bash', { command: 'echo two' }),
      tool('Bash', { command: 'echo three' }),
    ),
    say('two ', streaming, 'and three'),
  );
  const id = terminal.send('go');
  const isInFlight = async (name: string, declaredMs: number) =>
    (await look(host))?.tools.some(
      (entry) => entry.tool.split(' ')[0] === name && entry.declared_timeout_ms === declaredMs,
    );
  await until(() => isInFlight('Bash', 2000));
  const { messages } = await api.arrived(2);
  const results = JSON.stringify(messages.at(-1)) + JSON.stringify(messages.at(-2));
  for (const part of ['did not end in its time', '"two"', '"three"'])
    assert.ok(results.includes(part), `${part} in ${results}`);
  await until(() => isInFlight('model', 90_000));
  assert.equal((await look(host))?.tools.length, 1, 'no tool runs: what is waited for is the model');
  streaming.open();
  await until(() => terminal.outcome(id) === 'reply');
  assert.deepEqual(terminal.said(), ['two and three']);
  await until(() => !commands(host).some((command) => /987654|trap/.test(command)));
  await api.close();
});

test('a tool that has declared ten minutes is left alone for ten minutes', async () => {
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats: ['a'] });
  const id = platform.send('a', 'run with 600 seconds: until [ -e go ]; do sleep 0.05; done; echo finished');
  let seen: OutboundSnapshot | undefined;
  await until(async () => {
    seen = await look(host);
    return seen?.tools.length === 1;
  });
  assert.ok(seen);
  // What the host makes of the same rows, on a clock of the test's own.
  let now = 0;
  const activities = createActivities(() => now);
  activities.started('s', 0);
  activities.seen('s', seen);
  const decisionAt = (ms: number) => {
    now = ms;
    const view = activities.looked('s', ms, false);
    return view && decideStop(view, now);
  };
  for (const seconds of [61, 95, 300, 629])
    assert.deepEqual(decisionAt(seconds * 1000), { stop: false }, `${seconds} s`);
  assert.partialDeepStrictEqual(decisionAt(631_000), { stop: true, reason: 'tool', detail: 'shell' });
  writeFileSync(join(host.home, 'groups/andy/go'), '');
  await until(() => platform.events.get(id)?.outcome === 'reply');
  assert.deepEqual(platform.said('a'), ['finished\n(exit code 0)']);
});

function box(host: TestHost): string {
  const root = join(host.home, 'data/v2-sessions');
  // Until the first message there is no session.
  const [agent = ''] = existsSync(root) ? readdirSync(root) : [];
  if (agent === '') return root;
  const [session = ''] = readdirSync(join(root, agent));
  return join(root, agent, session, 'box');
}

/** The command lines of what runs in the sandbox. */
function commands(host: TestHost): string[] {
  return sandboxProcesses(box(host)).flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || [];
    } catch {
      return [];
    }
  });
}

async function look(host: TestHost): Promise<OutboundSnapshot | undefined> {
  const read = await reader.read(box(host), 0);
  return read.status === 'ok' ? read.snapshot : undefined;
}
