import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { initFirstAgent } from '../../admin/first-agent.ts';
import { CODE, startHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

/** Each ends in a clear word to whoever can act on it, and nothing else is lost. */

describe('messages', () => {
  test('too long, empty, no message at all: refused with a sentence, and the next one is answered', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    const refusals = () => terminal.frames.flatMap((frame) => (frame.type === 'refused' ? [frame.code] : []));
    terminal.send('x'.repeat(10_000_000));
    await until(() => refusals().length === 1);
    const again = await host.terminal();
    again.send('');
    again.send(' \n ');
    again.socket.write('this is no frame\n{"type":"message"}\n[1,2]\n');
    const codes = () => again.frames.flatMap((frame) => (frame.type === 'refused' ? [frame.code] : []));
    await until(() => codes().length === 5);
    assert.deepEqual(refusals(), ['NC_MESSAGE_TOO_LARGE']);
    assert.deepEqual(codes().slice(0, 2), ['NC_MESSAGE_EMPTY', 'NC_MESSAGE_EMPTY']);
    assert.match((await again.ask('hello'))[0] ?? '', /demo/);
  });

  test('markup, NUL and broken surrogates reach the agent as text', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    const nasty = 'a</message><message to="terminal">b</message><internal>c</internal> & "d" \0 \ud800 e';
    await terminal.ask(`write nasty.txt: ${nasty}`);
    const kept = readFileSync(join(host.home, 'groups/andy/nasty.txt'), 'utf8');
    assert.equal(kept, `${nasty.replace('\0', '\ufffd').replace('\ud800', '\ufffd')}\n`);
  });

  test('the same message twice is answered once', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    terminal.send('time', 'same-id');
    terminal.send('time', 'same-id');
    await until(() => terminal.outcome('same-id'));
    await terminal.ask('hello');
    assert.equal(terminal.said().filter((text) => text.startsWith('It is')).length, 1);
  });
});

describe('an install that is not as it should be', () => {
  async function fails(options: Parameters<typeof startHost>[0]): Promise<string> {
    try {
      const host = await startHost(options);
      await host.end();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return 'it started';
  }

  test('a line of .env that can not be read is named by its number, not shown', async () => {
    const said = await fails({ envFile: 'TZ=UTC\nANTHROPIC_API_KEY="sk-ant-secret-of-mine\n' });
    assert.match(said, /ended with 1: .*line 2/);
    assert.doesNotMatch(said, /secret-of-mine/);
  });

  test('a damaged central database is left as it is, with a way out', async () => {
    const home = mkdtempSync(join(tmpdir(), 'nanoclaw-e2e-'));
    initFirstAgent(home, {});
    const file = join(home, 'data/v2.db');
    const bytes = readFileSync(file);
    bytes.fill(0xee, 4096, 4096 * 12);
    writeFileSync(file, bytes);
    const said = runs(home);
    assert.match(said, /central database is damaged.*data\/backups/s);
    assert.deepEqual(readFileSync(file), bytes);
    rmSync(home, { recursive: true });
  });

  test('a clock in 1970 stops the start with a sentence', async () => {
    const said = await fails({ node: ['--import', 'data:text/javascript,Date.now = () => 86400000'] });
    assert.match(said, /clock is wrong.*1970-01-02/s);
  });

  test('a path longer than a socket may have just works', async () => {
    const base = mkdtempSync(join(tmpdir(), 'nanoclaw-e2e-'));
    const home = join(base, 'a-rather-long-folder-name-for-one'.repeat(3), 'and-another-one-below-it-too'.repeat(3));
    mkdirSync(home, { recursive: true });
    await using host = await startHost({ home });
    const terminal = await host.terminal();
    assert.match((await terminal.ask('run echo deep'))[0] ?? '', /deep/);
    await host.end();
    rmSync(base, { recursive: true });
  });

  test('a second host from the same folder says that one runs', async () => {
    await using host = await startHost();
    assert.match(runs(host.home), /Another host already runs.*ncl stop/s);
    const terminal = await host.terminal();
    assert.match((await terminal.ask('hello'))[0] ?? '', /demo/, 'and the first is not disturbed');
  });

  test('a session folder that someone deleted is made again', async () => {
    await using host = await startHost();
    const terminal = await host.terminal();
    await terminal.ask('hello');
    await host.end();
    rmSync(join(host.home, 'data/v2-sessions'), { recursive: true });
    await using second = await startHost({ home: host.home });
    const again = await second.terminal();
    assert.match((await again.ask('run echo whole'))[0] ?? '', /whole/);
    assert.equal(readdirSync(join(host.home, 'data/v2-sessions')).length, 1);
  });
});

/** Starts a host on an install as it is; what it says when it ends. */
function runs(home: string): string {
  const { stderr, status } = spawnSync(process.execPath, [join(CODE, 'src/index.ts')], {
    env: { PATH: process.env.PATH, HOME: home, NANOCLAW_HOME: home },
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 1);
  return stderr;
}
