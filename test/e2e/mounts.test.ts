import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { askHost } from '../../cli/ask-host.ts';
import { startHost, type TestHost } from '../support/host-process.ts';

/** Folders of the owner's through the product as a whole: given by `ncl`, seen from inside, left out with a word. */

let root = '';
let host: TestHost;
const at = (...parts: string[]) => join(root, ...parts);

async function ncl(command: string, args: Record<string, string | true>): Promise<string> {
  try {
    return (await askHost(join(host.home, 'data/ncl.sock'), command, args, { width: 200, colour: false })).text ?? '';
  } catch (error) {
    return String(error);
  }
}

async function ask(text: string): Promise<string[]> {
  return (await host.terminal()).ask(text);
}

async function restart(): Promise<void> {
  const { home } = host;
  await host.end();
  host = await startHost({ home });
}

function allow(...allowedRoots: object[]): void {
  const folder = join(host.home, '.config/nanoclaw');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'mount-allowlist.json'), JSON.stringify({ allowedRoots }), { mode: 0o600 });
}

before(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'nanoclaw-shared-')));
  chmodSync(root, 0o755);
  for (const name of ['docs', 'share', 'private']) mkdirSync(at(name));
  chmodSync(at('share'), 0o777);
  writeFileSync(at('docs/note'), 'read me');
  host = await startHost();
});
after(async () => {
  await host.end();
  for (const folder of [root, host.home]) rmSync(folder, { recursive: true, force: true });
});

describe('a folder of the owner', { concurrency: 1 }, () => {
  test('nothing is allowed until the list says so, and each answer says what to do', async () => {
    assert.match(
      await ncl('mounts check', { path: at('docs') }),
      /^No, .*docs: there is no list of allowed folders\. Write/,
    );
    assert.match(await ncl('mounts add', { group: 'Andy', path: at('docs') }), /not given to agents\. .*no list/);
    allow({ path: at('docs') }, { path: at('share'), allowReadWrite: true }, { path: at('private') });
    assert.match(await ncl('mounts check', { path: at('docs') }), /^Yes, .*docs: read-only\.$/);
    assert.match(await ncl('mounts check', { path: at('docs'), rw: true }), /^Yes, .* is allowed so\.$/);
    assert.match(await ncl('mounts check', { path: at() }), /^No, .*in no folder that is allowed/);
    assert.match(await ncl('mounts check', { path: host.home }), /^No, .*keeps for itself/);
    chmodSync(at('private'), 0o700);
    assert.match(await ncl('mounts check', { path: at('private') }), /^Yes, .*User \d+, .* setfacl/);
  });

  test('it is there from the next start on: read-only, or to be written where both sides say so', async () => {
    assert.match(await ncl('mounts add', { group: 'Andy', path: at('docs'), name: 'my notes', rw: true }), /read-only/);
    assert.match(await ncl('mounts add', { group: 'Andy', path: at('share'), rw: true }), /writable/);
    assert.match(await ncl('mounts list', { group: 'Andy' }), /my notes .* read-only.*share .* writable/s);
    const [said = ''] =
      await ask(`run exec 2>&1; cd /workspace/extra; cat 'my notes/note'; echo; touch 'my notes/x' || echo refused
      echo from inside > share/answer; ls; mkdir other || echo no other; grep extra /app/group/CLAUDE.md`);
    assert.match(said, /^read me\n.*refused\nmy notes\nshare\n.*no other\n/s);
    assert.match(said, /`\/workspace\/extra\/my notes`: read-only\n.*share`: you may change what is in it/);
    assert.equal(readFileSync(at('share/answer'), 'utf8'), 'from inside\n');
  });

  test('one that is not there any more is left out: the chat is told once, and the agent each time', async () => {
    renameSync(at('docs'), at('away'));
    await restart();
    const said = await ask('run ls /workspace/extra; grep "not there" /app/group/CLAUDE.md');
    assert.match(said[0] ?? '', /^⚠️ I have to do without your folder “my notes”: it is not there\. `ncl mounts list`/);
    assert.match(said.at(-1) ?? '', /^share\n- `my notes` is not there for now: it is not there/);
    await restart();
    assert.match((await ask('run ls /workspace/extra')).join(), /^share\n/);
    assert.match(await ncl('mounts list', {}), /my notes: it is not there\. Make it, or correct the path\./);
  });

  test('taken back, it is gone at the next start', async () => {
    assert.match(await ncl('mounts remove', { group: 'Andy', name: 'share' }), /taken back/);
    assert.match(await ncl('mounts remove', { group: 'Andy', name: 'share' }), /nothing with that name/);
    await restart();
    assert.match((await ask('run ls /workspace/extra/share || echo gone')).join(), /gone/);
  });
});
