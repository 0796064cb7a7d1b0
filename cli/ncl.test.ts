import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openTestClient } from './sockets/test-client.ts';
import { type Checkout, makeCheckout } from './testing/checkout.ts';

const isGone = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
};

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, `not within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('without a host', () => {
  let checkout: Checkout;
  before(() => {
    checkout = makeCheckout();
  });
  after(() => checkout.remove());

  const wrong: [args: string[], sentence: RegExp][] = [
    [['status'], /^The host is not running\. Start it with `ncl start`\.\n$/],
    [['chat', 'hello'], /The host is not running/],
    [['bogus'], /There is no command "bogus"/],
    [['status', '--bogus'], /There is no option --bogus/],
    [['status', 'extra'], /"extra" is too much/],
    [['logs', '-n'], /-n needs a value/],
    [['logs', '--lines', '--follow'], /--lines needs a value/],
    [['logs', '-n', '1', '--lines=2'], /--lines is given twice/],
    [['logs', '-n', 'many'], /--lines is a whole number from 0 to/],
    [['chat', 'hello', '--timeout', '-1'], /--timeout is a whole number from 1 to/],
    [['start', '--foreground=yes'], /--foreground takes no value/],
    [['sessions', 'get'], /<id> is missing/],
    [['groups', 'config', 'update', 'a', '--egress', 'all'], /--egress is one of public, none/],
    [['help', 'bogus'], /There is no command "bogus"/],
  ];
  for (const [args, sentence] of wrong) {
    test(`ncl ${args.join(' ')} is refused in one sentence with status 2`, async () => {
      const { status, stdout, stderr } = await checkout.ncl(args);
      assert.match(stderr, sentence);
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
      assert.deepEqual([status, stdout], [2, '']);
    });
  }

  for (const words of ['groups', 'sessions', 'groups config']) {
    test(`ncl ${words} shows its commands, with status 2`, async () => {
      const help = await checkout.ncl(['help', ...words.split(' ')]);
      const { status, stdout, stderr } = await checkout.ncl(words.split(' '));
      assert.deepEqual([status, stdout, stderr], [2, '', help.stdout]);
    });
  }

  test('an output with no room is told in a sentence', async () => {
    const args = ['-c', '"$0" version > /dev/full', join(checkout.root, 'bin', 'ncl')];
    const { status, stderr } = await checkout.ncl(args, { command: 'sh' });
    assert.match(stderr, /^There is no room left on the disk\. Make room/);
    assert.equal(status, 1);
  });

  test('--json says the same as JSON', async () => {
    const { status, stdout, stderr } = await checkout.ncl(['status', '--json']);
    assert.deepEqual([status, stderr], [2, '']);
    assert.equal(JSON.parse(stdout).error.code, 'NC_NO_HOST');
  });

  test('help and version work, from a symlink and from any folder', async () => {
    const link = join(checkout.root, 'link');
    symlinkSync(join(checkout.root, 'bin', 'ncl'), link);
    const again = join(checkout.root, 'again');
    symlinkSync('link', again);
    const version = await checkout.ncl(['version', '--json'], { command: again, cwd: '/' });
    assert.equal(version.stderr, '');
    assert.match(JSON.parse(version.stdout).version, /^\d+\.\d+\.\d+$/);
    for (const args of [[], ['help'], ['--help'], ['-h']]) {
      assert.match((await checkout.ncl(args)).stdout, /groups config update <group>/);
    }
    assert.match((await checkout.ncl(['groups', '--help'])).stdout, /ncl groups list[\s\S]*--egress-allow <hosts>/);
    assert.match((await checkout.ncl(['help', 'logs'])).stdout, /^ncl logs \[session\]/);
  });

  test('doctor says what it sees and what to do', async () => {
    writeFileSync(join(checkout.root, '.env'), 'A=1\nsk-ant-secret\n', { mode: 0o600 });
    const bad = await checkout.ncl(['doctor']);
    assert.equal(bad.status, 1, bad.stdout);
    assert.match(bad.stdout, /FAIL {2}\.env .*line 2[^\n]*\n +→ Correct or remove the line that is named/);
    assert.ok(!bad.stdout.includes('sk-ant'));
    writeFileSync(join(checkout.root, '.env'), 'A=1\n');
    const { checks, driver } = JSON.parse((await checkout.ncl(['doctor', '--json'])).stdout);
    const byName = new Map<string, { ok: boolean }>(checks.map((check: { name: string }) => [check.name, check]));
    for (const name of ['node', 'bun', 'data', 'clock', '.env', 'provider']) assert.ok(byName.get(name)?.ok, name);
    assert.equal(byName.get('host')?.ok, false);
    assert.equal(driver.driver, 'bubblewrap');
    assert.ok(Array.isArray(driver.guarantees));
  });

  test('a checkout without its own Node says what to run', async () => {
    const script = 'cp "$0" . && PATH=$PATH sh ./ncl version';
    const { status, stderr } = await checkout.ncl(['-c', script, join(checkout.root, 'bin', 'ncl')], { command: 'sh' });
    assert.deepEqual([status, stderr], [2, 'There is no Node here yet. Run: bash nanoclaw.sh\n']);
  });

  test("a session's log, by the beginning of its id", async () => {
    const folder = join(checkout.root, 'logs', 'sessions');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'sess-1.log'), 'one\n\u001b[2Jtwo\n');
    writeFileSync(join(folder, 'sess-1.log.1'), 'zero\n');
    writeFileSync(join(folder, 'other.log'), 'three\n');
    assert.equal((await checkout.ncl(['logs', 'sess'])).stdout, 'one\n\uFFFD[2Jtwo\n');
    assert.match((await checkout.ncl(['logs', 'none'])).stderr, /No session that begins with "none" has a log/);
    writeFileSync(join(folder, 'sess-12.log'), '');
    assert.match((await checkout.ncl(['logs', 'sess'])).stderr, /More than one session begins with sess/);
    assert.match((await checkout.ncl(['logs', 'sess-1'])).stdout, /two/);
  });

  test('logs by level, by age and by what they are about, from rotated files as well', async () => {
    const folder = join(checkout.root, 'logs');
    mkdirSync(folder, { recursive: true });
    const line = (level: string, message: string, ageMs = 0) =>
      `${JSON.stringify({ time: new Date(Date.now() - ageMs).toISOString(), level, message })}\n`;
    writeFileSync(join(folder, 'nanoclaw.log.1'), line('error', 'older', 7_200_000) + line('warn', 'old', 60_000));
    writeFileSync(join(folder, 'nanoclaw.log'), line('info', 'new') + line('error', 'newest'));
    const said = async (...args: string[]) => {
      const { stdout } = await checkout.ncl(['logs', '--json', ...args]);
      return [...stdout.matchAll(/"message":"(\w+)"/g)].map(([, message]) => message);
    };
    assert.deepEqual(await said('--level', 'warn'), ['older', 'old', 'newest']);
    assert.deepEqual(await said('--level', 'warn', '--since', '1h'), ['old', 'newest']);
    assert.deepEqual(await said('--about', 'new', '-n', '1'), ['newest']);
    assert.match((await checkout.ncl(['logs', '--since', 'never'])).stderr, /--since is 30s, 10min/);
  });

  test('logs shows the last lines, and goes on through a rotation', async () => {
    const folder = join(checkout.root, 'logs');
    const file = join(folder, 'nanoclaw.log');
    mkdirSync(folder, { recursive: true });
    const line = (number: number) =>
      `${JSON.stringify({ time: new Date(), level: 'info', message: `line ${number}` })}\n`;
    writeFileSync(file, Array.from({ length: 5000 }, (_, number) => line(number)).join(''));
    const last = (await checkout.ncl(['logs', '-n', '2'])).stdout;
    assert.match(last, /^\S+ \S+ INFO {2}line 4998\n\S+ \S+ INFO {2}line 4999\n$/);
    const { child, run } = checkout.begin(['logs', '-f', '-n', '1', '--json']);
    let seen = '';
    child.stdout?.on('data', (text) => {
      seen += text;
    });
    await until('the last line', () => seen.includes('line 4999'));
    appendFileSync(file, line(5000));
    await until('an added line', () => seen.includes('line 5000'));
    appendFileSync(file, line(5001));
    renameSync(file, `${file}.1`);
    writeFileSync(file, line(5002));
    await until('lines around a rotation', () => seen.includes('line 5002'));
    child.kill('SIGINT');
    assert.equal((await run).status, 0);
    assert.deepEqual(seen.match(/line \d+/g), ['line 4999', 'line 5000', 'line 5001', 'line 5002']);
  });

  test('a host that does not start is told with its last lines', async () => {
    const other = makeCheckout();
    try {
      other.program(`console.error('the reason'); process.exit(3);`);
      const { status, stderr } = await other.ncl(['start']);
      assert.equal(status, 1);
      assert.match(stderr, /The host did not start\. It ended with status 3\.\nthe reason/);
      assert.equal((await other.ncl(['stop'])).stdout, 'No host was running.\n');
    } finally {
      await other.remove();
    }
  });
});

describe('with a host, in a checkout whose path no socket can hold', () => {
  let checkout: Checkout;
  before(async () => {
    checkout = makeCheckout(join('a'.repeat(60), 'b'.repeat(60)));
    const { status, stderr } = await checkout.ncl(['start']);
    assert.equal(status, 0, stderr);
  });
  after(() => checkout.remove());

  test('its sockets are private', () => {
    for (const name of ['ncl.sock', 'cli.sock']) {
      assert.equal(statSync(join(checkout.root, 'data', name)).mode & 0o777, 0o600);
    }
  });

  test('start says that it runs already', async () => {
    const { status, stdout } = await checkout.ncl(['start', '--json']);
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).started, false);
    const again = await checkout.ncl(['start', '--foreground']);
    assert.match(again.stderr, /^Another host already runs from this folder\. Its process id is \d+\. Use it/);
    assert.equal(again.status, 1);
  });

  test('status, sessions and groups are shown and are JSON', async () => {
    const { stdout } = await checkout.ncl(['status']);
    assert.match(
      stdout,
      /host +9\.9\.9, pid \d+[\s\S]*agents +Andy \(demo\)[\s\S]*inbound 3[\s\S]*problem: The moon is full\./,
    );
    assert.ok(!stdout.includes('\u001b'), 'no colour into a pipe');
    assert.equal(JSON.parse((await checkout.ncl(['status', '--json'])).stdout).slug, 'abcdef01');
    assert.match(
      (await checkout.ncl(['sessions', 'list'])).stdout,
      /^ID +AGENT[\s\S]*\nsess-1 +Andy +terminal local +warm +2 /,
    );
    const detail = (await checkout.ncl(['sessions', 'get', 'sess'])).stdout;
    assert.match(detail, /id +sess-1[\s\S]*TEXT\n/);
    assert.ok(!detail.includes('\u001b'), 'nothing of a message reaches the terminal as a command');
    assert.match((await checkout.ncl(['groups', 'list'])).stdout, /ag-1 +Andy +andy +demo +default +public/);
    assert.match((await checkout.ncl(['groups', 'config', 'get', 'Andy'])).stdout, /timezone +Europe\/Berlin/);
  });

  test('what the host refuses has its code and its status', async () => {
    const missing = await checkout.ncl(['sessions', 'get', 'x', '--json']);
    assert.deepEqual([missing.status, JSON.parse(missing.stdout).error.code], [1, 'NC_NOT_FOUND']);
    assert.equal((await checkout.ncl(['groups', 'config', 'get', 'nobody'])).status, 1);
    assert.equal((await checkout.ncl(['groups', 'config', 'update', 'Andy'])).status, 2);
  });

  test('a provider that is not there is refused', async () => {
    for (const command of [['init-first-agent'], ['groups', 'config', 'update', 'ag-1']]) {
      const { status, stderr } = await checkout.ncl([...command, '--provider', 'nope']);
      assert.match(stderr, /^The chosen provider is not installed\. There is no provider "nope"/);
      assert.equal(status, 1);
    }
    const { stdout } = await checkout.ncl(['groups', 'config', 'update', 'ag-1', '--provider', 'demo']);
    assert.match(stdout, /takes effect at the sandbox's next start; `ncl groups restart` does it now\.\n$/);
  });

  test('a group is changed', async () => {
    const args = ['--model', 'm1', '--effort', 'default', '--egress=none', '--egress-allow', 'nas.local:445, 10.0.0.1'];
    const { stdout } = await checkout.ncl(['groups', 'config', 'update', 'ag-1', ...args, '--json']);
    const { model, effort, egress, egressAllow } = JSON.parse(stdout);
    assert.deepEqual([model, effort, egress, egressAllow], ['m1', null, 'none', ['nas.local:445', '10.0.0.1']]);
  });

  test("the host's own checks are in doctor, and one that blocks is a failure", async () => {
    const { status, stdout } = await checkout.ncl(['doctor']);
    assert.equal(status, 1);
    assert.match(stdout, /FAIL {2}upstream +It is away\.\n +→ Wait\./);
  });

  test('chat prints the answer alone on stdout, without control characters', async () => {
    const { status, stdout, stderr } = await checkout.ncl(['chat', 'good', 'day']);
    assert.equal(stdout, 'you said: good day\uFFFD]0;title\uFFFD\n');
    assert.equal(stderr, 'looking\nAlso said there:\nfor another\n', 'what is for another, which may have waited');
    assert.equal(status, 0);
  });

  test('chat prints the path of a file that it was sent', async () => {
    const { stdout } = await checkout.ncl(['chat', 'file']);
    const path = /\[file\] (.*)/.exec(stdout)?.[1] ?? '';
    assert.equal(path, join(checkout.root, 'data', 'received', 'out-2-file', 'a.txt'));
    assert.equal(readFileSync(path, 'utf8'), 'by the agent');
  });

  const ends: [text: string, status: number, stdout: RegExp, stderr: RegExp][] = [
    ['silence', 0, /^$/, /The agent chose to say nothing\./],
    ['notice', 1, /^you said: notice/, /^/],
    ['/help', 0, /^you said: \/help.*\n$/, /^/],
    ['', 1, /^$/, /^The message is empty\. Write something\.\n$/],
  ];
  for (const [text, expected, out, err] of ends) {
    test(`chat ${JSON.stringify(text)} ends with status ${expected}`, async () => {
      const { status, stdout, stderr } = await checkout.ncl(['chat', text]);
      assert.match(stdout, out);
      assert.match(stderr, err);
      assert.equal(status, expected);
    });
  }

  test('a message of 10 MB is refused in one sentence', async () => {
    const { status, stderr } = await checkout.ncl(['chat', '-'], { input: 'x'.repeat(10 * 1024 * 1024) });
    assert.equal(stderr, 'The message is too long. Send it in parts of at most 256 KB.\n');
    assert.equal(status, 1);
  });

  test('chat gives up after its timeout', async () => {
    const { status, stderr } = await checkout.ncl(['chat', 'never', '--timeout', '1']);
    assert.match(stderr, /^There was no answer in time\./);
    assert.equal(status, 1);
  });

  test('chat without a text talks line by line and waits for the answers to a pipe', async () => {
    const { status, stdout } = await checkout.ncl(['chat'], { input: 'one\n\ntwo\n' });
    assert.match(stdout, /you said: one[\s\S]*you said: two/);
    assert.equal(status, 0);
  });

  test('chat takes a file as its input, also an empty one', async () => {
    const script = 'printf "one\\ntwo\\n" > lines; "$0" chat < lines && "$0" chat < /dev/null';
    const ncl = join(checkout.root, 'bin', 'ncl');
    const { status, stdout } = await checkout.ncl(['-c', script, ncl], { command: 'sh' });
    assert.match(stdout, /you said: one[\s\S]*you said: two/);
    assert.equal(status, 0);
  });

  test('chat at a terminal keeps what is half typed below what it prints, and shows no message twice', async () => {
    const command = `'${join(checkout.root, 'bin', 'ncl')}' chat`;
    const { child, run } = checkout.begin(['-qec', command, '/dev/null'], { command: 'script' });
    let seen = '';
    child.stdout?.on('data', (text) => {
      seen += text;
    });
    await until('a prompt', () => seen.includes('> '));
    child.stdin?.write('one\rtw');
    await until('the answer above what is half typed', () =>
      /working … > tw[\s\S]*you said: one[\s\S]*> tw/.test(seen),
    );
    child.stdin?.write('o\r');
    await until('the second answer', () => seen.includes('you said: two'));
    child.stdin?.write('\u0004');
    assert.equal((await run).status, 0, seen);
    assert.equal(seen.match(/you said: one/g)?.length, 1, seen);
  });

  test('a request that is none is refused and the connection goes on', async () => {
    const cwd = process.cwd();
    process.chdir(checkout.root);
    const client = await openTestClient('data/ncl.sock').finally(() => process.chdir(cwd));
    try {
      client.socket.write('nonsense\n');
      assert.equal((await client.next((frame) => frame.ok === false)).id, '');
      await client.send({ id: 'a', command: 'chat', args: {} });
      assert.match(JSON.stringify(await client.next((frame) => frame.id === 'a')), /NC_USAGE/);
      await client.send({ id: 'b', command: 'x'.repeat(500_000), args: {} });
      assert.match(JSON.stringify(await client.next((frame) => frame.id === '')), /too long/);
      await client.send({ id: 'c', command: 'status', args: { bogus: 'x' } });
      assert.match(JSON.stringify(await client.next((frame) => frame.id === 'c')), /NC_USAGE/);
      await client.send({ id: 'd', command: 'status', args: {} });
      const answer = await client.next((frame) => frame.id === 'd');
      assert.deepEqual([answer.ok, answer.text], [true, undefined]);
    } finally {
      client.socket.destroy();
    }
  });

  test('the command takes less than 150 ms (asserted: 400)', async () => {
    for (const args of [['version'], ['status']]) {
      const times: number[] = [];
      for (let round = 0; round < 20; round++) {
        const begin = performance.now();
        assert.equal((await checkout.ncl(args)).status, 0);
        times.push(performance.now() - begin);
      }
      const [p50 = 0, p95 = 0] = [times.sort((a, b) => a - b)[9], times[18]];
      process.stderr.write(`ncl ${args.join(' ')}: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms\n`);
      assert.ok(p50 < 400, `p50 of ncl ${args.join(' ')} is ${p50.toFixed(0)} ms`);
    }
  });

  test('a chat outlives a host that is killed under it', async () => {
    const { run } = checkout.begin(['chat', 'die', '--timeout', '60']);
    await until('the host is killed', () => existsSync(join(checkout.root, 'died')));
    const { status, stderr } = await checkout.ncl(['start']);
    assert.equal(status, 0, stderr);
    const answered = await run;
    assert.match(answered.stdout, /you said: die/);
    assert.equal(answered.status, 0, answered.stderr);
  });

  test('restart and stop end the process; stopping twice is no error', async () => {
    const pid = async () => JSON.parse((await checkout.ncl(['status', '--json'])).stdout).pid as number;
    const first = await pid();
    assert.equal((await checkout.ncl(['restart'])).status, 0);
    const second = await pid();
    writeFileSync(join(checkout.root, '.env'), 'nonsense\n', { mode: 0o600 });
    const refused = await checkout.ncl(['restart']);
    assert.match(refused.stderr, /^The file \.env can not be read\. .*line 1/);
    assert.deepEqual([refused.status, await pid()], [1, second]);
    rmSync(join(checkout.root, '.env'));
    assert.notEqual(first, second);
    assert.ok(isGone(first));
    assert.deepEqual(await checkout.ncl(['stop']), { status: 0, stdout: 'The host has stopped.\n', stderr: '' });
    assert.ok(isGone(second));
    assert.deepEqual(await checkout.ncl(['stop']), { status: 0, stdout: 'No host was running.\n', stderr: '' });
    assert.ok(!existsSync(join(checkout.root, 'data', 'ncl.sock')));
  });

  test('in the foreground it ends by a signal, with its own status', async () => {
    const { child, run } = checkout.begin(['start', '--foreground']);
    await until('the admin socket', () => existsSync(join(checkout.root, 'data', 'ncl.sock')));
    child.kill('SIGTERM');
    assert.equal((await run).status, 0);
  });
});
