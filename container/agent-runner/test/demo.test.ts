import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isoTime } from '@nanoclaw/protocol';
import { HostStandIn, until } from './host.ts';
import { RunnerProcess } from './process.ts';

/** Generous: other suites may run on the same cores. */
const SLOW = { timeout: 60_000 };

/** The whole process with the demo provider: real shell, real files, no sandbox. */
describe('the demo', () => {
  it('does what it says that it can do', SLOW, async () => {
    using host = new HostStandIn();
    host.destinations = [
      {
        name: 'office',
        display_name: null,
        type: 'channel',
        channel_type: 'chat',
        platform_id: 'c-2',
        agent_group_id: null,
      },
    ];
    await using _ = start(host);
    const ask = asker(host);
    assert.match(await ask('what can you do?'), /^I am a demo: a set of rules, without a model[\s\S]*run <command>/);
    assert.match(
      await ask('run echo $((6*7)); pwd; exit 3'),
      new RegExp(`^42\n${host.paths.agent}\n\\(exit code 3\\)$`),
    );
    assert.equal(await ask('write notes/a.txt: <b> & "c"'), 'I wrote notes/a.txt.');
    assert.equal(readFileSync(join(host.paths.agent, 'notes/a.txt'), 'utf8'), '<b> & "c"\n');
    assert.equal(await ask('read notes/a.txt'), '<b> & "c"');
    assert.match(await ask('read missing.txt'), /^There is no missing\.txt/);
    assert.match(await ask('what do you remember?'), /^Nothing yet/);
    assert.equal(await ask('remember that Ann likes tea'), 'I will remember that.');
    assert.equal(await ask('What do you remember?'), 'I remember:\n- Ann likes tea');
    assert.match(await ask('time'), /^It is 20/);
    assert.match(await ask('sing'), /^I am a demo without a model/);
    assert.equal(await ask('tell office: hello there'), 'I am telling office.');
    assert.ok(host.sent().some((each) => each.platform_id === 'c-2' && each.chat?.text === 'hello there'));
    assert.equal(await ask('send me notes/a.txt'), 'I have sent notes/a.txt.');
    const file = host.sent().find((each) => each.chat?.files);
    assert.deepEqual(file?.chat?.files, ['a.txt']);
    assert.equal(readFileSync(join(host.paths.outbox, file?.id ?? '', 'a.txt'), 'utf8'), '<b> & "c"\n');
  });

  it('settles what was pushed while it worked, each on its own; /stop ends it at once', SLOW, async () => {
    using host = new HostStandIn();
    await using _ = start(host);
    host.say('m1', 'wait 1 second');
    await until('it waits', () => host.tools().includes('wait'));
    host.say('m2', 'count');
    host.say('m3', 'count');
    await until('three answers', () => host.texts().length === 3);
    assert.deepEqual(
      host.answers().map((each) => each.chat?.answers),
      [['m1'], ['m2'], ['m3']],
    );
    assert.deepEqual(host.texts(), [
      'I waited for 1 seconds.',
      'This is message 2 of our conversation.',
      'This is message 3 of our conversation.',
    ]);
    host.say('m4', 'run sleep 100');
    await until('it runs', () => host.tools().includes('shell'));
    const before = performance.now();
    host.control('stop', 'stop');
    await until('stopped', () => host.acks().m4 === 'completed');
    host.say('m5', 'count');
    await until('another answer', () => host.texts().length === 4);
    assert.ok(performance.now() - before < 2000);
    assert.deepEqual(host.tools(), []);
  });
});

describe('the process', () => {
  it('killed in mid-turn: the next one begins anew, and loses and repeats nothing', SLOW, async () => {
    using host = new HostStandIn();
    {
      await using first = start(host);
      host.say('m1', 'count');
      await until('an answer', () => host.texts().length === 1);
      host.say('m2', 'wait 100 seconds');
      await until('it waits', () => host.tools().includes('wait'));
      host.say('m3', 'count');
      await until('it is held', () => host.acks().m3 === 'processing');
      assert.equal(await first.end('SIGKILL'), 'SIGKILL');
    }
    assert.deepEqual(host.acks(), { m1: 'completed', m2: 'processing', m3: 'processing' });
    // What the host does: settled rows go, the others are offered again as another try.
    host.received = Math.max(...host.sent().map((each) => each.seq));
    const highest = host.received;
    host.rows = host.rows
      .filter((row) => row.id !== 'm1')
      .map((row) => ({ ...row, tries: 1, content: row.content.replace('100', '0') }));
    host.publish();
    await using _ = start(host);
    await until('both are done', () => host.acks().m3 === 'completed');
    assert.deepEqual(
      host.answers().map((each) => each.chat?.answers),
      [['m2', 'm3']],
    );
    // The continuation was kept: these are the second and the third message of the same conversation.
    assert.match(host.texts()[0] ?? '', /^I waited for 0 seconds\.\n\nThis is message 3 of our conversation\.$/);
    await until('what is settled is gone', () => Object.keys(host.acks()).join() === 'm2,m3');
    assert.ok(host.sent().every((each) => each.seq > highest && each.seq % 2 === 1));
  });

  it(
    'killed again and again while it answers: every message is answered, and no answer is written twice',
    SLOW,
    async () => {
      using host = new HostStandIn();
      for (let index = 0; index < 40; index++) host.add(`m${index}`, { text: 'run true', thread_id: `t${index}` });
      host.publish();
      let done = 0;
      for (let round = 0; done < 40; round++) {
        assert.ok(round < 60);
        await using runner = start(host);
        const goal = Math.min(40, done + 7);
        await until('some progress', () => host.texts().length >= goal);
        await runner.end('SIGKILL');
        done = host.texts().length;
      }
      const answered = host.answers().flatMap((each) => each.chat?.answers ?? []);
      assert.equal(answered.length, 40);
      assert.equal(new Set(answered).size, 40);
      assert.ok(Object.values(host.acks()).every((status) => status === 'completed' || status === 'processing'));
    },
  );

  it('ends on SIGTERM within a second or so, in mid-turn too, and leaves what it held open', SLOW, async () => {
    using host = new HostStandIn();
    await using runner = start(host);
    host.say('m1', 'run sleep 100');
    await until('it runs', () => host.tools().includes('shell'));
    const before = performance.now();
    assert.equal(await runner.end('SIGTERM'), 0);
    assert.ok(performance.now() - before < 2500);
    assert.deepEqual([host.acks().m1, host.texts().length], ['processing', 0]);
  });

  it('beats once a second, and honours wake rows at its start alone', SLOW, async () => {
    using host = new HostStandIn();
    host.add('wake', { text: 'count', on_wake: 1 });
    host.publish();
    await using _ = start(host);
    await until('an answer', () => host.acks().wake === 'completed');
    host.add('late', { text: 'count', on_wake: 1, process_after: isoTime(Date.now() - 1000) });
    host.say('m1', 'count');
    await until('another answer', () => host.acks().m1 === 'completed');
    assert.equal(host.acks().late, undefined);
    const first = statSync(host.paths.heartbeat).mtimeMs;
    await until('a beat', () => statSync(host.paths.heartbeat).mtimeMs > first);
  });

  it('stays small over many messages, and gives no number twice', SLOW, async () => {
    using host = new HostStandIn();
    await using _ = start(host);
    const seen = new Set<number>();
    let last = 0;
    for (let index = 0; index < 80; index++) {
      host.say(`m${index}`, `run head -c 14000 /dev/zero | tr '\\0' x`);
      await until('an answer', () => host.acks()[`m${index}`] === 'completed');
      for (const { seq } of host.sent()) {
        if (seq > last) assert.ok(!seen.has(seq));
        seen.add(seq);
        last = Math.max(last, seq);
      }
      host.received = last;
      host.rows = [];
      if (index % 10 === 9) host.publish();
    }
    await until('it is pruned', () => host.sent().length <= 2);
    assert.ok(statSync(host.paths.outboundDb).size < 400_000, `${statSync(host.paths.outboundDb).size} bytes`);
  });

  it('says why it can not start', SLOW, async () => {
    using host = new HostStandIn();
    writeFileSync(host.paths.containerJson, '{"provider":"../evil"}');
    await using runner = start(host);
    const [code] = await runner.exited;
    assert.equal(code, 1);
    assert.match(String(runner.line('runner-failed')?.error), /provider/);
  });

  for (const what of ['deleted', 'replaced']) {
    it(`ends with an error, for the host to tell, when outbound.db is ${what} in mid-turn`, SLOW, async () => {
      using host = new HostStandIn();
      await using runner = start(host);
      const { outboundDb } = host.paths;
      const replace = what === 'deleted' ? 'true' : `mv copy ${outboundDb}`;
      host.say('m1', `run cp ${outboundDb} copy; rm -f ${outboundDb}; ${replace}`);
      await until('it runs', () => runner.line('step-failed'));
      const begun = performance.now();
      const [code] = await runner.exited;
      assert.equal(code, 1);
      assert.ok(performance.now() - begun < 8_000, 'it is not waited for: such a file does not come back');
      assert.match(String(runner.line('runner-failed')?.error), /deleted or replaced/);
    });

    it(`sees it at once while it has nothing to do when outbound.db is ${what}`, SLOW, async () => {
      using host = new HostStandIn();
      host.publish();
      await using runner = start(host);
      const { outboundDb } = host.paths;
      await until('it looks', () => runner.line('first-look') && existsSync(host.paths.heartbeat));
      copyFileSync(outboundDb, `${outboundDb}.copy`);
      if (what === 'deleted') rmSync(outboundDb);
      else renameSync(`${outboundDb}.copy`, outboundDb);
      const begun = performance.now();
      assert.equal((await runner.exited)[0], 1);
      assert.ok(performance.now() - begun < 8_000);
      const last = runner.output.trimEnd().split('\n').at(-1) ?? '';
      assert.match(last, /^\{"time":"20.*"event":"runner-failed","error":"outbound\.db was deleted or replaced"/);
    });
  }

  it('starts and beats, whatever the agent has put where the outbox and the heartbeat belong', SLOW, async () => {
    using host = new HostStandIn();
    const { outbox, heartbeat } = host.paths;
    rmSync(outbox, { recursive: true });
    execFileSync('mkfifo', [outbox]);
    mkdirSync(join(heartbeat, 'full'), { recursive: true });
    await using _ = start(host);
    await until('a beat', () => lstatSync(heartbeat, { throwIfNoEntry: false })?.isFile() ?? false);
    assert.ok(lstatSync(outbox).isDirectory());
    for (const plant of [() => execFileSync('mkfifo', [heartbeat]), () => symlinkSync('/dev/null', heartbeat)]) {
      rmSync(heartbeat);
      plant();
      await until('a beat', () => lstatSync(heartbeat, { throwIfNoEntry: false })?.isFile() ?? false);
    }
    host.say('m1', 'ping');
    await until('an answer', () => host.texts().length === 1);
  });

  it('logs events, and nothing that was said', SLOW, async () => {
    using host = new HostStandIn();
    await using runner = start(host);
    host.say('m1', 'write f.txt: confidential');
    await until('an answer', () => host.texts().length === 1);
    await until('a line', () => runner.line('settled'));
    assert.deepEqual(runner.line('pushed')?.messages, ['m1']);
    assert.ok(!runner.output.includes('confidential'));
  });
});

describe('the way out', () => {
  it('is forwarded from loopback to the socket', SLOW, async () => {
    using host = new HostStandIn();
    mkdirSync(join(host.root, 'run/proxy'), { recursive: true });
    const proxy = createServer((client) => client.pipe(client));
    await new Promise<void>((resolve) => proxy.listen(host.paths.proxySocket, resolve));
    try {
      await using _ = start(host);
      host.say('m1', 'run exec 3<>/dev/tcp/127.0.0.1/4000 && echo ping >&3 && head -n1 <&3');
      await until('an answer', () => host.texts().length === 1);
      assert.equal(host.texts()[0], 'ping\n(exit code 0)');
    } finally {
      proxy.close();
    }
  });
});

function start(host: HostStandIn): RunnerProcess {
  return new RunnerProcess(host);
}

/** Asks one thing, waits for its answer. */
function asker(host: HostStandIn): (text: string) => Promise<string> {
  let count = 0;
  return async (text) => {
    const id = `ask-${++count}`;
    host.say(id, text);
    const answer = await until(`an answer to ${text}`, () =>
      host.answers().find((each) => each.chat?.answers?.includes(id)),
    );
    return answer.chat?.text ?? '';
  };
}
