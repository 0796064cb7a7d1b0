import { afterAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInRow } from '@nanoclaw/protocol';
import { runScript, TaskScripts } from './task-scripts.ts';

/** Real scripts in a real shell: what they say, and what becomes of those that say nothing of use. */

const cwd = mkdtempSync(join(tmpdir(), 'nanoclaw-scripts-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const LONG_MS = 60_000;

test('the last line says whether the agent is woken, and with what', async () => {
  expect(await runScript(`echo hello; echo '{"wakeAgent": false}'`, cwd, LONG_MS)).toEqual({ wake: false });
  expect(await runScript(`echo '{"wakeAgent": true, "data": [1, {"a": "ä"}]}'; echo`, cwd, LONG_MS)).toEqual({
    wake: true,
    data: [1, { a: 'ä' }],
  });
});

const broken: readonly (readonly [name: string, script: string, why: RegExp])[] = [
  ['prints no JSON', 'echo all is well', /its last line is not .*: all is well/],
  ['prints nothing', 'true', /its last line is not .*: it printed nothing/],
  ['prints JSON of another shape', `echo '{"wake": 1}'`, /its last line is not/],
  ['fails', 'echo no route >&2; exit 3', /^exit code 3: no route$/],
  ['is killed', 'kill -9 $$', /^exit code null/],
  ['is no bash', 'if then', /^exit code 2: .*syntax error/],
  ['prints 1 GB', 'head -c 1000000000 /dev/zero', /^it printed more than 1 MB$/],
  ['prints without end, as errors', 'yes >&2', /^it printed more than 1 MB$/],
];

for (const [name, script, why] of broken) {
  test(`a script that ${name} is a failure with its reason`, async () => {
    const verdict = await runScript(script, cwd, LONG_MS);
    expect('problem' in verdict ? verdict.problem : verdict).toMatch(why);
  });
}

test('a script that never ends is ended, with all that it started', async () => {
  const verdict = await runScript('echo $$ > pid; (setsid sleep 1000 & echo $! > child); sleep 1000', cwd, 500);
  expect(verdict).toEqual({ problem: 'it took longer than 0.5 s' });
  for (const file of ['pid', 'child']) await gone(Number(readFileSync(join(cwd, file), 'utf8')));
});

test('one that becomes another program, without the mark of ours, is ended as well', async () => {
  const verdict = await runScript('echo $$ > bare; exec env -i sleep 1000', cwd, 500);
  expect(verdict).toEqual({ problem: 'it took longer than 0.5 s' });
  await gone(Number(readFileSync(join(cwd, 'bare'), 'utf8')));
});

test('one that no program can be given is a failure, too', async () => {
  const verdict = await runScript('echo \0', cwd, LONG_MS);
  expect('problem' in verdict ? verdict.problem : verdict).toMatch(/null byte/);
});

test('what forks on is not waited for', async () => {
  const script = `(setsid sleep 1000 & echo $! > forked); echo '{"wakeAgent": false}'`;
  expect(await runScript(script, cwd, LONG_MS)).toEqual({ wake: false });
  await gone(Number(readFileSync(join(cwd, 'forked'), 'utf8')));
});

test('one whose message is taken back, by /stop say, is ended', async () => {
  const ended = Promise.withResolvers<void>();
  const scripts = new TaskScripts({ cwd, changed: ended.resolve, settle: () => undefined });
  const row = rowOf('stopped', 'echo $$ > half; mv half begun; sleep 1000');
  scripts.sift([row], [row]);
  for (const end = Date.now() + 20_000; !existsSync(join(cwd, 'begun')) && Date.now() < end; ) await Bun.sleep(10);
  expect(scripts.sift([], [])).toEqual([]);
  await ended.promise;
  await gone(Number(readFileSync(join(cwd, 'begun'), 'utf8')));
});

test('a few run at a time; each is settled once, and a turn that is tried again has the same data', async () => {
  const settled: string[] = [];
  let changed = Promise.withResolvers<void>();
  const scripts = new TaskScripts({
    cwd,
    changed: () => changed.resolve(),
    settle: (row, problem) => void settled.push(`${row.id} ${problem ?? 'sleeps'}`),
  });
  const once = `echo x >> ran; [ $(wc -l < ran) = 1 ] && echo '{"wakeAgent": true, "data": 7}' || echo '{"wakeAgent": false}'`;
  const sleeps = `echo '{"wakeAgent": false}'`;
  let rows = [rowOf('wakes', once), ...Array.from({ length: 6 }, (_, at) => rowOf(`s${at}`, sleeps))];
  const said = rowOf('plain', undefined);
  let ready: MessageInRow[] = [];
  for (const end = Date.now() + 30_000; Date.now() < end && (settled.length < 6 || ready.length < 2); ) {
    ready = scripts.sift([...rows, said], [...rows, said]);
    rows = rows.filter(({ id }) => !settled.some((line) => line.startsWith(`${id} `)));
    await Promise.race([changed.promise, Bun.sleep(50)]);
    changed = Promise.withResolvers<void>();
  }
  expect(settled.sort()).toEqual([0, 1, 2, 3, 4, 5].map((at) => `s${at} sleeps`));
  expect(ready.map(({ id }) => id)).toEqual(['wakes', 'plain']);
  const again = scripts.sift([{ ...rowOf('wakes', once), tries: 1 }], rows);
  expect(JSON.parse(again[0]?.content ?? '')).toMatchObject({ prompt: 'wakes', data: 7 });
});

async function gone(pid: number): Promise<void> {
  for (const end = Date.now() + 20_000; existsSync(`/proc/${pid}`) && Date.now() < end; ) await Bun.sleep(10);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
}

function rowOf(id: string, script: string | undefined): MessageInRow {
  const place = { platform_id: 'local', channel_type: 'terminal', thread_id: null, source_session_id: null };
  const rest = { status: 'pending', process_after: null, tries: 0, trigger: 1, on_wake: 0 } as const;
  const content = JSON.stringify({ prompt: id, ...(script !== undefined && { script }) });
  return { id, seq: 2, kind: 'task', timestamp: '2027-01-01T00:00:00.000Z', ...rest, ...place, content };
}
