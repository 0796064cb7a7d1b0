import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { message, say, text, tool } from '../../../../test/fakes/messages-api/index.ts';
import { createProvider } from '../../runner.ts';
import { Rig, scenario } from '../test-rig.ts';
import { renderArchive } from './markdown.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

const folder = () => join(rig.home, 'conversations');
/** Those that are finished: one that is being written has a hidden name. */
const files = () =>
  existsSync(folder())
    ? readdirSync(folder())
        .filter((name) => !name.startsWith('.'))
        .sort()
    : [];
const content = (name = '') => readFileSync(join(folder(), name), 'utf8');
const prompt = (sender: string, words: string) =>
  `<context timezone="UTC" now="now" />\n<message id="2" from="home" sender="${sender}">${words}</message>`;

async function forget(continuation: string): Promise<void> {
  const provider = await createProvider({
    assistantName: 'Andy',
    tools: [],
    cwd: rig.cwd,
    additionalDirectories: [],
    conversations: folder(),
    env: { HOME: rig.home },
    log: (line) => rig.logged.push(line),
  });
  await provider.archive?.(continuation);
}

scenario('/compact says what it did, and keeps what was said before, once', async () => {
  const talk = await rig.converse();
  const full = { input_tokens: 120_000, output_tokens: 10 };
  rig.api.script(
    message(tool('Bash', { command: 'printf x%.0s {1..3000}' })),
    { ...message(text('Tulips then & there.')), usage: full },
    say('<summary>Tulips.</summary>'),
    say('Fine.'),
  );
  talk.query.push('a', prompt('Ann &amp; Bob', 'Which flowers? &lt;3'));
  await talk.outcome(1);
  talk.query.compact('b');
  await talk.outcome(2);
  assert.match(talk.outcomes[1]?.text ?? '', /^Summarised: from about 120,000 to [\d,]+ tokens\.$/);
  assert.deepEqual(talk.outcomes[1]?.ids, ['b']);
  await talk.until('the file', () => files().length > 0);
  const [name, ...others] = files();
  assert.deepEqual(others, []);
  assert.match(name ?? '', /^\d{4}-\d\d-\d\d-\d{4}-which-flowers-3\.md$/);
  const kept = content(name);
  assert.match(kept, /\*\*Ann & Bob:\*\* Which flowers\? <3/);
  assert.match(kept, /, you\n\nTulips then & there\./);
  assert.match(kept, /tool `Bash`/);
  assert.match(kept, /x{900}.*… \(\d+ more characters\)/);
  assert.ok(kept.length < 4_000);

  talk.query.push('c', prompt('Ann', 'And now?'));
  await talk.outcome(3);
  await forget(talk.continuation);
  const [second = '', ...rest] = files().filter((one) => one !== name);
  assert.deepEqual(rest, []);
  assert.match(content(second), /in short[\s\S]*Tulips[\s\S]*And now\?[\s\S]*Fine\./);
  assert.doesNotMatch(content(second), /Which flowers/);
});

scenario('with nothing said there is nothing to summarise, and nothing to keep', async () => {
  const talk = await rig.converse();
  talk.query.compact('a');
  await talk.outcome(1);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'There is nothing to summarise yet.' }]);
  await forget(talk.continuation);
  await forget(crypto.randomUUID());
  await forget('../../etc/passwd');
  assert.deepEqual(files(), []);
  rig.api.script(say('one'), say('<summary>One.</summary>'));
  talk.query.push('b', 'count');
  await talk.outcome(2);
  talk.query.compact('c');
  await talk.outcome(3);
  assert.match(talk.outcomes[2]?.text ?? '', /^Summarised/);
  talk.query.compact('d');
  await talk.outcome(4);
  assert.deepEqual(talk.outcomes[3], { ids: ['d'], text: 'There is nothing to summarise yet.' });
});

scenario('a place that can not be written to holds nothing up', async () => {
  writeFileSync(folder(), 'a file where the folder should be');
  const talk = await rig.converse();
  rig.api.script(say('one'), say('<summary>One.</summary>'));
  talk.query.push('a', 'count');
  await talk.outcome(1);
  talk.query.compact('b');
  await talk.outcome(2);
  assert.match(talk.outcomes[1]?.text ?? '', /^Summarised/);
  await forget(talk.continuation);
  // The summary's goes on beside the turn.
  await talk.until('the word of it', () => rig.logged.some((line) => line.includes('was not kept')));
  rmSync(folder());
  mkdirSync(folder());
  chmodSync(folder(), 0o700);
});

test('the same subject at the same minute has another name', async () => {
  const id = crypto.randomUUID();
  const project = join(rig.home, '.claude/projects/x');
  mkdirSync(project, { recursive: true });
  const line = { type: 'user', timestamp: '2026-03-01T12:00:00Z', message: { role: 'user', content: 'Hello' } };
  writeFileSync(join(project, `${id}.jsonl`), `${JSON.stringify(line)}\nno json\n{"type":"user"}\n`);
  await Promise.all([forget(id), forget(id), forget(id)]);
  assert.deepEqual(files(), ['2026-03-01-1200-hello-2.md', '2026-03-01-1200-hello-3.md', '2026-03-01-1200-hello.md']);
});

test('a name is one, whatever was said first', () => {
  const named = (words: string) => {
    const at = '2026-03-01T12:00:00Z';
    return renderArchive([{ at, kind: 'heard', text: words }], 'of a test', 'Europe/Berlin')?.name;
  };
  assert.equal(named('../../etc/passwd'), '2026-03-01-1300-etc-passwd');
  assert.equal(named('!?'), '2026-03-01-1300');
  assert.equal(named('明天去北京'), '2026-03-01-1300-明天去北京');
  assert.ok(Buffer.byteLength(named('😀漢'.repeat(500)) ?? '') < 250);
  assert.equal(renderArchive([{ at: '', kind: 'said', text: 'x' }], 'of a test', 'UTC'), undefined);
});
