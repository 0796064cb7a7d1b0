import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { ProviderEvent } from '@nanoclaw/agent-runner/provider';
import { bash, gate, message, resultText, say, tool } from '../../../test/fakes/messages-api/index.ts';
import { harnessPids, Rig, scenario } from './test-rig.ts';
import { ToolsInFlight } from './tools-in-flight.ts';

/** What is known of tools while they run, and how those end that hang. */

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

const results = () =>
  (rig.api.messages.at(-1)?.messages.findLast(({ role }) => role === 'user')?.content ?? []).map(
    (block) => `${block.is_error === true ? 'error' : 'ok'}: ${resultText(block)}`,
  );
const pidIn = (file: string): number => Number(existsSync(file) ? readFileSync(file, 'utf8') : 0);

/** Not so for one that has ended and that nobody has asked for. */
function lives(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return pid > 0 && existsSync(file) && !/^.*\) Z/s.test(readFileSync(file, 'utf8'));
}

/** Commands of processes that leave the shell that starts them, each with its pid in a file. */
const LEAVERS = {
  daemon: (file: string) => `(setsid bash -c 'trap "" TERM; echo $$ > ${file}; exec sleep 1000' >/dev/null 2>&1 &)`,
  // Never runs another program, so that nothing of the environment's is to be seen of it.
  fork: (file: string) =>
    `( set -m; (trap "" TERM HUP; echo $BASHPID > ${file}; mkfifo ${file}.pipe; while :; do read -t 1000 <> ${file}.pipe; done) & )`,
  nohup: (file: string) => `nohup bash -c 'echo $$ > ${file}; sleep 1000; true' >/dev/null 2>&1 &`,
};

scenario('three at once, each with its own time; one hangs and ends, the others do not notice', async () => {
  execFileSync('mkfifo', [join(rig.cwd, 'pipe')]);
  writeFileSync(join(rig.cwd, 'two.txt'), 'two');
  writeFileSync(join(rig.cwd, 'three.txt'), 'three');
  const talk = await rig.converse();
  rig.api.script(
    message(
      tool('Bash', { command: 'cat pipe', timeout: 2000 }, 'toolu_one'),
      tool('Bash', { command: 'cat two.txt' }, 'toolu_two'),
      tool('Bash', { command: 'cat three.txt', timeout: 300_000 }, 'toolu_three'),
    ),
    say('done'),
  );
  talk.query.push('a', 'go');
  await talk.outcome(1);
  const told = talk.of('activity').flatMap(({ tool: seen }) => (seen ? [`${seen.phase} ${seen.id}`] : []));
  assert.deepEqual(told.slice(0, 3), ['start toolu_one', 'start toolu_two', 'start toolu_three'], 'side by side');
  assert.deepEqual(told.slice(3, 5).toSorted(), ['end toolu_three', 'end toolu_two']);
  assert.deepEqual(told.slice(5), ['end toolu_one']);
  const declared = talk.of('activity').flatMap(({ tool: seen }) => seen?.declaredTimeoutMs ?? []);
  assert.deepEqual(declared, [2000, 120_000, 300_000]);
  assert.deepEqual(results().toSorted().slice(1), ['ok: three', 'ok: two']);
  assert.match(results().toSorted()[0] ?? '', /^error: Exit code 14\d$/);
  assert.match(JSON.stringify(rig.api.messages.at(-1)), /It was ended, with every process that it had started/);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'done' }]);
});

for (const [name, leave] of Object.entries(LEAVERS))
  scenario(
    `what a hung command left outside of its shell (${name}) ends with it; what a neighbour left stays`,
    async () => {
      const [mine, other] = [join(rig.home, 'mine.pid'), join(rig.home, 'other.pid')];
      const talk = await rig.converse();
      rig.api.script(
        message(
          tool('Bash', { command: `${LEAVERS.daemon(other)}; until [ -s ${other} ]; do sleep 0.02; done` }),
          tool('Bash', {
            command: `${leave(mine)}\nuntil [ -s ${mine} ]; do sleep 0.02; done; sleep 1000`,
            timeout: 1500,
          }),
        ),
        say('done'),
      );
      talk.query.push('a', 'go');
      try {
        await talk.outcome(1);
        assert.match(results()[1] ?? '', /^error: Exit code 1\d\d/);
        assert.ok(pidIn(mine) > 0 && pidIn(other) > 0);
        await talk.until('the hung one to be gone', () => !lives(pidIn(mine)));
        assert.ok(lives(pidIn(other)), "the neighbour's daemon is its own affair");
      } finally {
        for (const pid of [pidIn(mine), pidIn(other)]) if (lives(pid)) process.kill(pid, 'SIGKILL');
      }
    },
  );

scenario('a harness that dies takes the command with it that it ran', async () => {
  const file = join(rig.home, 'pid');
  const talk = await rig.converse();
  rig.api.script(bash(`echo $$ > ${file}; sleep 1000; true`));
  talk.query.push('a', 'go');
  await talk.until('the command to run', () => lives(pidIn(file)));
  for (const pid of harnessPids()) process.kill(pid, 'SIGKILL');
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], error: 'crash' }]);
  await talk.until('it to be gone', () => !lives(pidIn(file)));
});

scenario('an interrupt takes with it what a command has left outside of its shell', async () => {
  const file = join(rig.home, 'pid');
  const talk = await rig.converse();
  rig.api.script(bash(`${LEAVERS.daemon(file)}; sleep 1000`));
  talk.query.push('a', 'go');
  await talk.until('the daemon', () => lives(pidIn(file)));
  await talk.query.interrupt();
  await talk.outcome(1);
  await talk.until('it to be gone', () => !lives(pidIn(file)));
});

scenario('a pipe is not read: that would never end, and could not be ended', async () => {
  execFileSync('mkfifo', [join(rig.cwd, 'pipe')]);
  const talk = await rig.converse();
  rig.api.script(message(tool('Read', { file_path: join(rig.cwd, 'pipe') })), say('done'));
  talk.query.push('a', 'go');
  await talk.outcome(1);
  assert.match(results()[0] ?? '', /^error: .*is a pipe or a device, not a file/s);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'done' }]);
});

test('a command whose time is over is ended by us, before the harness lets it go on behind the turn', async () => {
  const events: ProviderEvent[] = [];
  const logged: string[] = [];
  const tools = new ToolsInFlight({
    send: (event) => events.push(event),
    log: (line) => logged.push(line),
    env: {},
  });
  const [matcher] = tools.hooks().PreToolUse ?? [];
  const before = matcher?.hooks[0];
  assert.ok(before);
  const input = { command: 'exec sleep 1000', timeout: 300 };
  const common = { session_id: 's', transcript_path: '', cwd: rig.cwd, prompt_id: 'p' };
  const call = {
    ...common,
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: input,
    tool_use_id: 't',
  } as const;
  const answer = await before(call, 't', { signal: new AbortController().signal });
  const [, command] = /"command":"([^"]*)"/.exec(JSON.stringify(answer)) ?? [];
  assert.match(command ?? '', /^export NANOCLAW_TOOL=[0-9a-f-]{36}; exec sleep 1000$/);
  const [marked, bystander] = [spawn('bash', ['-c', command ?? '']), spawn('sleep', ['1000'])];
  try {
    const [, by] = await new Promise<unknown[]>((resolve) => marked.once('exit', (...how) => resolve(how)));
    assert.equal(by, 'SIGTERM');
    assert.equal(bystander.exitCode, null);
    assert.deepEqual(logged, ['tool t is overdue: 1 processes ended']);
    assert.equal(tools.size, 1, 'until the harness says so, it counts as running');
  } finally {
    marked.kill('SIGKILL');
    bystander.kill('SIGKILL');
  }
});

scenario('how long it may be silent is told: at a start, when it works, while it makes a summary', async () => {
  const talk = await rig.converse({ env: { CLAUDE_STREAM_IDLE_TIMEOUT_MS: '40000' } });
  const told = () => talk.of('activity').flatMap(({ silenceMs }) => silenceMs ?? []);
  const wait = gate();
  rig.api.script(say('one'), say(wait, '<summary>We counted.</summary>'), say('two'));
  talk.query.push('a', 'count');
  await talk.outcome(1);
  assert.deepEqual(told(), [120_000, 40_000]);
  talk.query.push('b', '/compact');
  await rig.api.arrived(2);
  await talk.until('more patience', () => told().length === 3);
  assert.equal(told()[2], 120_000);
  wait.open();
  await talk.outcome(2);
  talk.query.push('c', 'go on');
  await talk.outcome(3);
  assert.equal(told().at(-1), 40_000);
});
