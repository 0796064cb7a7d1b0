import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';
import { CODE, startHost } from '../support/host-process.ts';
import { startPlatform } from '../support/scripted/platform.ts';
import { until } from '../support/until.ts';

const Story = z.object({
  message: z.looseObject({ id: z.string(), session: z.string(), outcome: z.string().nullable() }),
  steps: z.array(z.looseObject({ at: z.string(), who: z.string(), what: z.string(), fields: z.looseObject({}) })),
});

async function ncl(home: string, ...args: string[]): Promise<string> {
  const { PATH } = process.env;
  const ran = promisify(execFile)(join(CODE, 'bin/ncl'), args, { env: { PATH, HOME: home, NANOCLAW_HOME: home } });
  return (await ran.catch((error: { stderr: string }) => ({ stdout: error.stderr }))).stdout;
}
const trace = async (home: string, word: string) => Story.parse(JSON.parse(await ncl(home, 'trace', '--json', word)));

test('a message is followed from the platform to its answer, by any of its names, with the host up or down', async () => {
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats: ['a'] });
  const event = platform.send('a', 'run echo hello');
  await until(() => platform.events.get(event)?.outcome === 'reply');
  // The log is written a few times a second.
  await until(() => /"message":"settled"/.test(host.log()));
  const { message, steps } = await trace(host.home, event);
  assert.equal(message.outcome, 'reply');
  const told = steps.map(({ who, what }) => `${who} ${what}`);
  const way = [
    'channel written',
    'host accepted',
    'host sandbox started',
    'agent pushed',
    'agent tool-start',
    'agent tool-end',
    'agent said',
    'host taken over',
    'channel sent',
  ];
  assert.deepEqual(
    told.filter((each, index) => way.includes(each) && told.lastIndexOf(each) === index),
    way,
    told.join('\n'),
  );
  assert.equal(told.filter((each) => each === 'host settled').length, 1, told.join('\n'));
  assert.deepEqual(
    steps.map(({ at }) => at),
    steps.map(({ at }) => at).toSorted(),
  );

  const out = steps.find(({ what }) => what === 'sent')?.fields;
  await host.end('SIGKILL');
  for (const word of [message.id, message.id.slice(0, 16), `p-${out?.messageId}`, String(out?.messageId)]) {
    assert.equal((await trace(host.home, word)).message.id, message.id, word);
  }
  const forged = { time: new Date().toISOString(), event: 'settled', messageId: message.id };
  appendFileSync(join(host.home, 'logs/sessions', `${message.session}.log`), `${JSON.stringify(forged)}\n`);
  const text = await ncl(host.home, 'trace', message.id);
  assert.match(text, /^id +msg-.*\n[\s\S]*\+0 +channel +written[\s\S]* host +settled .*outcome=reply/);
  assert.match(await ncl(host.home, 'trace', 'nothing'), /No message is called "nothing"/);
  for (const words of [[], [event.slice(0, -1)]])
    assert.equal(Story.parse(JSON.parse(await ncl(host.home, 'trace', '--json', ...words))).message.id, message.id);
  assert.match(await ncl(host.home, 'trace', 'm'), /^There is nothing|^More than one|^id /);
});

test('of a message that failed each try is told with its reason, and the notice has the last words', async () => {
  using platform = await startPlatform();
  await using host = await startHost({ platform, chats: ['a'] });
  const crash = 'run kill -SEGV $PPID; sleep 5';
  const event = platform.send('a', crash);
  await until(() => platform.said('a').length > 0);
  assert.match(platform.said('a').join(), /try again in 5 seconds\. Its last words: panic.*Segmentation fault/);
  await until(() => host.log().includes('"message":"try failed"'));
  await host.end('SIGKILL');

  // Whatever stands in a sandbox's log, and however often it was rotated.
  const { message } = await trace(host.home, event);
  const log = join(host.home, 'logs/sessions', `${message.session}.log`);
  renameSync(log, `${log}.1`);
  writeFileSync(
    log,
    `\u001b[2J{"event":\n${JSON.stringify({ time: 'never', event: ['x'], messages: [message.id] })}\n`,
  );
  const { steps } = await trace(host.home, message.id);
  const failed = steps.find(({ what }) => what === 'try failed');
  assert.equal(failed?.fields.kind, 'crash', JSON.stringify(steps));
  assert.match(String(failed?.fields.error), /panic.*Segmentation fault/);
  assert.ok(
    steps.some(({ what, fields }) => what === 'output' && String(fields.line).includes('panic')),
    JSON.stringify(steps),
  );
  const text = await ncl(host.home, 'trace', message.id);
  assert.ok(!text.includes('\u001b'), text);
  assert.match(await ncl(host.home, 'logs', '--level', 'warn', '--about', message.session), /sandbox ended .*panic/);
  assert.match(readFileSync(`${log}.1`, 'utf8'), /panic/);
});
