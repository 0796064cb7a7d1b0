import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { message, resultText, say, tool } from '../../../test/fakes/messages-api/index.ts';
import { Rig, scenario } from './test-rig.ts';

/** Which skills the model is offered, and what it reads of them; which model and effort a query has. */

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

function skill(folder: string, name: string, text: string): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'SKILL.md'), `---\nname: ${name}\ndescription: About ${name}.\n---\n\n${text}\n`);
}

/** Those that are offered, by name. */
function listed(): string[] {
  const text = JSON.stringify(rig.api.messages.at(-1));
  const [, list = ''] =
    /skills are available for use with the Skill tool:\\n\\n(.*?)(?:\\n\\n|\\n<|")/.exec(text) ?? [];
  return [...list.matchAll(/(?:^|\\n)- (\S+): /g)].map(([, name = '']) => name);
}

scenario('exactly those that were chosen, and the text of the one that is called up', async () => {
  const folder = join(rig.home, 'group/skills');
  skill(folder, 'invoices', 'Number each of them.');
  skill(folder, 'unchosen', 'Never read.');
  // What the agent writes for itself, where the harness would look by itself.
  for (const place of [rig.cwd, rig.home]) skill(join(place, '.claude/skills'), 'planted', 'Planted.');
  const talk = await rig.converse({ skills: { folder, names: ['invoices'] } });
  const call = (name: string) => tool('Skill', { skill: name });
  rig.api.script(message(call('group:invoices'), call('group:unchosen'), call('planted')), say('done'));
  talk.query.push('a', 'write one');
  await talk.outcome(1);
  assert.deepEqual(listed(), ['group:invoices']);
  const last = rig.api.messages.at(-1)?.messages.at(-1)?.content ?? [];
  const results = last.filter(({ type }) => type === 'tool_result').map(resultText);
  assert.match(results[0] ?? '', /Launching skill: group:invoices/);
  assert.match(results[1] ?? '', /not in this session's skills allowlist/);
  assert.match(results[2] ?? '', /Unknown skill: planted/);
  const seen = JSON.stringify(rig.api.messages.at(-1)?.messages);
  assert.match(seen, /Number each of them\./);
  assert.doesNotMatch(seen, /Never read|Planted/);
});

scenario('none chosen is none offered, the harness’s own ones neither', async () => {
  const talk = await rig.converse({ skills: { folder: join(rig.home, 'group/skills'), names: [] } });
  rig.api.script(say('ok'));
  talk.query.push('a', 'hi');
  await talk.outcome(1);
  assert.deepEqual(listed(), []);
});

scenario('each query has the model and the effort that it was opened with, in one conversation', async () => {
  const first = await rig.converse({ model: 'claude-haiku-4-5' });
  rig.api.script(say('one'), say('two'));
  first.query.push('a', 'remember the word heron');
  await first.outcome(1);
  await first.end();
  const second = await rig.converse({ continuation: first.continuation, model: 'claude-opus-4-5', effort: 'low' });
  second.query.push('b', 'go on');
  await second.outcome(1);
  assert.deepEqual(
    rig.api.messages.map(({ model }) => model),
    ['claude-haiku-4-5', 'claude-opus-4-5'],
  );
  assert.match(JSON.stringify(rig.api.messages[1]), /"output_config":\{"effort":"low"/);
  assert.match(JSON.stringify(rig.api.messages[1]?.messages), /heron/);
});
