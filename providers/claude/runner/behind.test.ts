import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import {
  gate,
  type MessageReply,
  type MessagesRequest,
  message,
  say,
  tool,
} from '../../../test/fakes/messages-api/index.ts';
import { harnessPids, Rig, scenario } from './test-rig.ts';

/** What goes on behind the turns: commands and helpers that outlive the turn that began them. */

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.close());

const file = (name: string) => join(rig.home, name);
const pid = () => Number(existsSync(file('pid')) ? readFileSync(file('pid'), 'utf8') : 0);

/** A command that goes on behind the turn until `go` is there. */
function behind(description?: string): MessageReply {
  const command = `echo $$ > ${file('pid')}; while [ -d ${rig.home} ] && [ ! -e ${file('go')} ]; do sleep 0.05; done; echo counted`;
  return message(tool('Bash', { command, run_in_background: true, ...(description && { description }) }));
}

/** Helpers and their agent ask in an order of their own: each has its own answers. */
function sides(helper: MessageReply[], agent: MessageReply[]): void {
  const isHelper = ({ messages }: MessagesRequest) => !JSON.stringify(messages[0]).includes('delegate');
  const step = (request: MessagesRequest) =>
    (isHelper(request) ? helper : agent).shift() ?? say('the script has ended');
  rig.api.script(...Array.from({ length: helper.length + agent.length }, () => step));
}

scenario(
  'a command goes on behind its turn; others are answered meanwhile; its end begins a turn of its own',
  async () => {
    const talk = await rig.converse();
    rig.api.script(behind('Count the files'), say('I count.'), say('Good day.'), say('There are three.'));
    talk.query.push('a', 'count them');
    await talk.outcome(1);
    const running = () => talk.of('background').at(-1)?.running;
    assert.deepEqual(
      running()?.map(({ what }) => what),
      ['Count the files'],
    );
    talk.query.push('b', 'hello');
    await talk.outcome(2);
    const job = running()?.[0]?.id ?? '';
    mkdirSync(file('go'));
    await talk.outcome(3);
    const [own] = talk.of('resumed');
    assert.deepEqual(own?.ended, [job]);
    assert.deepEqual(talk.outcomes, [
      { ids: ['a'], text: 'I count.' },
      { ids: ['b'], text: 'Good day.' },
      { ids: [own?.id], text: 'There are three.' },
    ]);
    assert.deepEqual(running(), []);
    assert.match(JSON.stringify(rig.api.messages.at(-1)?.messages), /task-notification.*completed/s);
    assert.match(JSON.stringify(rig.api.messages[1]?.messages), /belongs to the chat that you are answering now/);
  },
);

scenario('its end while another message is worked on is read there: no turn of its own follows', async () => {
  const talk = await rig.converse();
  const wait = `touch ${file('go')}; until [ -e ${file('over')} ]; do sleep 0.05; done`;
  rig.api.script(
    behind(),
    say('I count.'),
    message(tool('Bash', { command: wait })),
    say('Three, and good day.'),
    say('next'),
  );
  talk.query.push('a', 'count them');
  await talk.outcome(1);
  talk.query.push('b', 'hello');
  await talk.until('its end', () => talk.of('background').at(-1)?.running.length === 0);
  mkdirSync(file('over'));
  await talk.outcome(2);
  talk.query.push('c', 'and now?');
  await talk.outcome(3);
  assert.deepEqual(talk.of('resumed'), []);
  assert.deepEqual(talk.outcomes.slice(1), [
    { ids: ['b'], text: 'Three, and good day.' },
    { ids: ['c'], text: 'next' },
  ]);
});

scenario('what arrives while it tells of that is answered with it, or after it', async () => {
  const talk = await rig.converse();
  const held = gate();
  rig.api.script(behind(), say('I count.'), say('There ', held, 'are three.'), say('Good day.'));
  talk.query.push('a', 'count them');
  await talk.outcome(1);
  mkdirSync(file('go'));
  await rig.api.arrived(3);
  talk.query.push('b', 'hello');
  held.open();
  await talk.outcome(3);
  const [own] = talk.of('resumed');
  assert.deepEqual(talk.outcomes.slice(1), [
    { ids: [own?.id], text: 'There are three.' },
    { ids: ['b'], text: 'Good day.' },
  ]);
});

scenario("a helper goes on behind the turn where that was asked for, and its tools are not the turn's", async () => {
  const talk = await rig.converse();
  const held = gate();
  const command = `echo $$ > ${file('pid')}; while [ -d ${rig.home} ] && [ ! -e ${file('go')} ]; do sleep 0.05; done`;
  sides(
    [message(tool('Bash', { command })), { ...say('It lies under the mat.'), after: held }],
    [
      message(
        tool('Agent', {
          description: 'Find it',
          prompt: 'find it',
          subagent_type: 'general-purpose',
          run_in_background: true,
        }),
      ),
      say('Somebody looks.'),
      say('Good day.'),
      say('Under the mat.'),
    ],
  );
  talk.query.push('a', 'delegate');
  await talk.outcome(1);
  await talk.until('its command', () => pid() > 0);
  assert.deepEqual(
    talk
      .of('background')
      .at(-1)
      ?.running.map(({ what }) => what),
    ['Find it'],
  );
  talk.query.push('b', 'hello');
  await talk.outcome(2);
  assert.ok(existsSync(`/proc/${pid()}`), 'the end of a turn is not its end');
  const told = talk.of('activity').flatMap(({ tool: seen }) => seen?.name ?? []);
  assert.deepEqual(new Set(told), new Set(['Agent']));
  mkdirSync(file('go'));
  held.open();
  await talk.outcome(3);
  assert.deepEqual(talk.outcomes[2], { ids: [talk.of('resumed')[0]?.id], text: 'Under the mat.' });
});

scenario('an interrupt ends what goes on behind the turns, and the next push is answered', async () => {
  const talk = await rig.converse();
  rig.api.script(behind(), say('I count.'), say('Good day.'));
  talk.query.push('a', 'count them');
  await talk.outcome(1);
  await talk.until('the command', () => pid() > 0);
  await talk.query.interrupt();
  await talk.until('the word of it', () => talk.of('background').at(-1)?.isLost === true);
  await talk.until('it to be gone', () => !existsSync(`/proc/${pid()}`));
  talk.query.push('b', 'hello');
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes[1], { ids: ['b'], text: 'Good day.' });
  assert.match(JSON.stringify(rig.api.messages.at(-1)?.messages), /finish before the previous session ended/);
  assert.deepEqual(talk.of('resumed'), []);
});

scenario('a harness that dies says what it had behind its turns', async () => {
  const talk = await rig.converse();
  rig.api.script(behind(), say('I count.'));
  talk.query.push('a', 'count them');
  await talk.outcome(1);
  for (const each of harnessPids()) process.kill(each, 'SIGKILL');
  await talk.until('the word of it', () => talk.of('background').at(-1)?.isLost === true);
  assert.deepEqual(talk.outcomes, [{ ids: ['a'], text: 'I count.' }]);
});

scenario('what has ended and can not be told of is an error of its own', async () => {
  const talk = await rig.converse();
  rig.api.script(behind(), say('I count.'), ...Array.from({ length: 4 }, () => ({ kind: 'cut' as const })));
  talk.query.push('a', 'count them');
  await talk.outcome(1);
  mkdirSync(file('go'));
  await talk.outcome(2);
  assert.deepEqual(talk.outcomes[1], { ids: [talk.of('resumed')[0]?.id], error: 'network' });
});
