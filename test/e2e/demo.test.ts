import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

describe('demo, in a real sandbox', () => {
  test('a message is answered, a command runs inside, files and memory stay', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    const [hello] = await terminal.ask('what can you do?');
    assert.match(hello ?? '', /demo/i);
    const [ran] = await terminal.ask('run id -u; echo $HOME; pwd');
    // Which number a user has inside is the driver's.
    assert.match(ran ?? '', /^[1-9]\d{3,}\n/);
    assert.match(ran ?? '', /\/home\/node/);
    assert.match(ran ?? '', /\/workspace\/agent/);
    await terminal.ask('write notes.txt: buy milk');
    assert.match(readFileSync(join(host.home, 'groups/andy/notes.txt'), 'utf8'), /buy milk/);
    const [read] = await terminal.ask('read notes.txt');
    assert.match(read ?? '', /buy milk/);
    await terminal.ask('remember the door code is on the fridge');
    assert.match(readFileSync(join(host.home, 'groups/andy/CLAUDE.local.md'), 'utf8'), /fridge/);
  });

  test('a destination is reached by its name, and an unknown name is not lost in silence', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    assert.ok((await terminal.ask('tell terminal: good news')).some((text) => text.includes('good news')));
    assert.match((await terminal.ask('tell nobody: bad news')).join(), /nobody/);
  });

  test('a file is handed over', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    await terminal.ask('write report.txt: forty-two');
    const id = terminal.send('send me report.txt');
    await until(() => terminal.outcome(id));
    const files = terminal.frames.flatMap((frame) => (frame.type === 'message' ? frame.files : []));
    assert.equal(files[0]?.name, 'report.txt');
    assert.match(readFileSync(files[0]?.path ?? '', 'utf8'), /forty-two/);
  });

  test('it goes on after a restart of the host, and after kill -9 in mid-turn', async () => {
    const first = await startHost();
    const terminal = await first.terminal();
    await terminal.ask('remember the cat is called Miez');
    await first.end();
    const second = await startHost({ home: first.home });
    const again = await second.terminal();
    assert.match((await again.ask('what do you remember?'))[0] ?? '', /Miez/);
    const id = again.send('run sleep 3; echo survived');
    await until(() => again.frames.some((frame) => frame.type === 'accepted' && frame.id === id));
    await until(() => second.log().includes('accepted'));
    await second.end('SIGKILL');
    await using third = await startHost({ home: first.home });
    const last = await third.terminal();
    await until(() => last.said().some((text) => text.includes('survived')), 60_000);
  });
});

test('two installs on one machine do not disturb each other', async () => {
  await using one = await startHost();
  await using two = await startHost();
  const [first, second] = [await one.terminal(), await two.terminal()];
  await first.ask('remember I am the first');
  await second.ask('remember I am the second');
  await one.end();
  const [memory] = await second.ask('what do you remember?');
  assert.match(memory ?? '', /the second/);
  assert.doesNotMatch(memory ?? '', /the first/);
});

describe('commands of the host', () => {
  test('/help and /status answer at once, an unknown command goes to the agent', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    assert.match((await terminal.ask('/help'))[0] ?? '', /\/stop/);
    assert.equal(existsSync(join(host.home, 'data/run/sess')), false);
    assert.match((await terminal.ask('/status'))[0] ?? '', /Andy \(demo\)/);
    assert.equal((await terminal.ask('/unknown thing')).length, 1);
  });

  test('/stop ends a running turn within two seconds, and the next message is answered', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    await terminal.ask('hello');
    const id = terminal.send('wait 60 seconds');
    await until(async () => (await terminal.ask('/status'))[0]?.includes('working'));
    const begun = performance.now();
    const said = await terminal.ask('/stop');
    assert.deepEqual(said, ['Stopped.']);
    assert.equal(terminal.outcome(id), 'stopped');
    assert.match((await terminal.ask('run echo again'))[0] ?? '', /again/);
    assert.ok(performance.now() - begun < 2_000, `${performance.now() - begun} ms`);
  });

  test('/stop with nothing running says so; /clear forgets the conversation', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    assert.match((await terminal.ask('/stop'))[0] ?? '', /Nothing/);
    assert.match((await terminal.ask('/clear'))[0] ?? '', /forgotten/);
  });
});
