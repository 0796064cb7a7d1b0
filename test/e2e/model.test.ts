import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openCentral } from '../../src/db/connection.ts';
import { pathsFor } from '../../src/paths.ts';
import { createMessagesApi, error, type MessagesApi, say, TEST_KEY } from '../fakes/messages-api/index.ts';
import { startHost, type Terminal, type TestHost } from '../support/host-process.ts';
import { runNcl } from '../support/ncl.ts';

/** Which model each request names, and what it is told: real host, real sandbox, real harness, one conversation after the other. */

let api: MessagesApi;
let host: TestHost;
let terminal: Terminal;
before(async () => {
  api = await createMessagesApi();
  host = await startHost({
    provider: 'claude',
    env: { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url, NANOCLAW_MODEL: 'claude-haiku-4-5' },
  });
  terminal = await host.terminal();
});
after(async () => {
  await host[Symbol.asyncDispose]();
  await api.close();
});

/** Sends it, and returns what the API was asked for it. */
async function asked(text: string) {
  api.script(say(`to ${text}`));
  assert.deepEqual(await terminal.ask(text), [`to ${text}`]);
  const request = api.messages.at(-1);
  assert.ok(request);
  return { model: request.model, effort: JSON.stringify(request.output_config ?? null), text: JSON.stringify(request) };
}
const ncl = async (...args: string[]) => {
  const run = await runNcl(host.home, args);
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
};
const session = async (): Promise<string> =>
  /sess-\S+/.exec(await ncl('sessions', 'list', '--json'))?.[0].replace(/".*/, '') ?? '';

test('the install, then the agent, then the conversation; each from the next turn on, in the same conversation', async () => {
  assert.equal((await asked('remember the word heron')).model, 'claude-haiku-4-5');
  const started = () => host.log().split('sandbox started').length - 1;
  const before = started();

  await ncl('groups', 'config', 'update', 'Andy', '--model', 'claude-opus-4-5', '--effort', 'low');
  const ofGroup = await asked('two');
  assert.equal(ofGroup.model, 'claude-opus-4-5');
  assert.match(ofGroup.effort, /low/);
  assert.match(ofGroup.text, /heron/, 'it goes on with what was said');

  assert.match((await terminal.ask('/model claude-opus-5-5')).join(), /claude-opus-5-5 \(set for this conversation\)/);
  const ofSession = await asked('three');
  assert.equal(ofSession.model, 'claude-opus-5-5');
  assert.match(ofSession.effort, /low/, 'that of the agent');
  assert.match(ofSession.text, /heron/);

  await ncl('sessions', 'update', await session(), '--model', '');
  await ncl('groups', 'config', 'update', 'Andy', '--model', '');
  const shown = (await terminal.ask('/model')).join();
  assert.match(shown, /Model: claude-haiku-4-5 \(the default of this install\)\. Effort: low \(set for Andy/);
  assert.equal(started(), before, 'no sandbox was started for it');
});

test('a model that does not exist is told in a sentence, and /model default heals it', async () => {
  await terminal.ask('/model no-such-model');
  const missing = error(404, 'not_found_error', 'model: no-such-model');
  // As often as the harness asks: with and without a stream.
  api.script(missing, missing);
  const [told = '', ...more] = await terminal.ask('hello');
  assert.match(told, /The model that is set for me does not exist, or my account may not use it\. Send \/model to see/);
  assert.deepEqual(more, []);
  assert.equal(api.messages.at(-1)?.model, 'no-such-model');
  api.skip();
  await terminal.ask('/model default');
  const healed = await asked('hello again');
  assert.equal(healed.model, 'claude-haiku-4-5');
  assert.match(healed.text, /heron/);
});

test('another provider takes over when the sandbox rests, and what the first one knew is there when it is back', async () => {
  const id = await session();
  assert.match(
    (await runNcl(host.home, ['sessions', 'update', id, '--provider', 'nobody'])).stderr,
    /The chosen provider is not installed\. There is no provider "nobody"/,
  );
  await ncl('sessions', 'update', id, '--provider', 'demo');
  assert.match((await terminal.ask('what can you do?')).join(), /I am a demo/);
  const count = api.messages.length;
  await ncl('sessions', 'update', id, '--provider', 'default');
  const back = await asked('five');
  assert.match(back.text, /heron/);
  assert.equal(api.messages.length, count + 1);
});

test('instructions and the chosen skills reach the model; a skill that leads out of its folder is left out, and told', async () => {
  const own = join(host.home, 'data/skills');
  for (const name of ['invoices', 'leads-out']) mkdirSync(join(own, name), { recursive: true });
  const head = (name: string) => `---\nname: ${name}\ndescription: About ${name}.\n---\n\nText of ${name}.\n`;
  for (const name of ['invoices', 'leads-out']) writeFileSync(join(own, name, 'SKILL.md'), head(name));
  writeFileSync(join(own, 'invoices/instructions.md'), 'An invoice has a number.');
  symlinkSync('/etc/passwd', join(own, 'leads-out/more.md'));
  const listed = await ncl('skills', 'list');
  assert.match(listed, /^invoices +any +yours +About invoices/m);
  assert.match(listed, /^leads-out +any +yours +can not be used: it holds a link/m);
  const refused = await runNcl(host.home, ['groups', 'config', 'update', 'Andy', '--skills', 'invoices,nothing']);
  assert.match(refused.stderr, /There is no skill "nothing"\. There are .*invoices/);
  await ncl('groups', 'config', 'update', 'Andy', '--skills', 'invoices,leads-out', '--instructions', 'Say “moin”.');
  await ncl('groups', 'restart', 'Andy');
  api.script(say('hello'));
  const said = await terminal.ask('hi');
  assert.ok(
    said.some((one) => /without the skill “leads-out”: it holds a link/.test(one)),
    said.join(),
  );
  assert.equal(said.at(-1), 'hello');
  const text = JSON.stringify(api.messages.at(-1));
  // It is listed again when it has changed: what counts is the newest list.
  const listings = [...text.matchAll(/skills are available for use with the Skill tool:\\n\\n(.*?)(?:\\n\\n|\\n<)/g)];
  const listing = listings.at(-1)?.[1];
  assert.equal(listing, '- group:invoices: About invoices.');
  assert.match(text, /From those who look after you\\n\\nSay “moin”\./);
  assert.match(text, /The skill invoices\\n\\nAn invoice has a number\./);
  const db = openCentral({ file: pathsFor(host.home).db, backups: pathsFor(host.home).backups, now: Date.now() });
  const audited = db.prepare("SELECT count(*) AS n FROM audit_log WHERE action = 'skill.left-out'").get()?.n;
  db.close();
  assert.equal(audited, 1);
});
