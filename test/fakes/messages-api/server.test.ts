import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { z } from 'zod';
import {
  createMessagesApi,
  cutAfter,
  demoScript,
  empty,
  gate,
  large,
  type MessagesApi,
  message,
  promptTooLong,
  rateLimited,
  say,
  stallAfter,
  TEST_KEY,
  text,
  tool,
} from './index.ts';

let api: MessagesApi | undefined;
afterEach(() => api?.close());

const headers = { 'x-api-key': TEST_KEY, 'anthropic-version': '2023-06-01' };
const hello = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };

function post(body: unknown, more: { path?: string; headers?: Record<string, string>; signal?: AbortSignal } = {}) {
  return fetch(`${api?.url}${more.path ?? '/v1/messages?beta=true'}`, {
    method: 'POST',
    headers: more.headers ?? headers,
    body: JSON.stringify(body),
    ...(more.signal ? { signal: more.signal } : {}),
  });
}

const Answer = z.object({
  content: z.array(z.object({ type: z.string(), id: z.string(), text: z.string(), input: z.unknown() }).partial()),
});
const content = async (answer: Response) => Answer.parse(await answer.json()).content;

function events(stream: string): string[] {
  return [...stream.matchAll(/^event: (.+)$/gm)].map((found) => found[1] ?? '');
}

test('streams text and tool calls as server-sent events', async () => {
  api = await createMessagesApi();
  api.script(message(text('one ', 'two'), tool('Bash', { command: 'true' }, 'toolu_1')));
  const answer = await (await post({ ...hello, stream: true })).text();
  assert.deepEqual(events(answer), [
    'message_start',
    'ping',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  assert.match(answer, /"stop_reason":"tool_use"/);
});

test('answers whole when the request does not stream, and counts tokens', async () => {
  api = await createMessagesApi();
  api.script(say('all'), empty());
  assert.equal((await content(await post(hello)))[0]?.text, 'all');
  assert.deepEqual(await content(await post(hello)), []);
  const counted = await post({ model: 'm', messages: hello.messages }, { path: '/v1/messages/count_tokens' });
  assert.match(await counted.text(), /"input_tokens":[1-9]/);
});

test('refuses what the real API refuses', async () => {
  api = await createMessagesApi();
  const refused: [unknown, { path?: string; headers?: Record<string, string> }, number, RegExp][] = [
    [hello, { headers: { 'anthropic-version': '1' } }, 401, /authentication_error/],
    [hello, { headers: { ...headers, 'x-api-key': 'other' } }, 401, /invalid x-api-key/],
    [hello, { headers: { ...headers, authorization: 'Bearer other' } }, 401, /Invalid bearer token/],
    [hello, { headers: { 'x-api-key': TEST_KEY } }, 400, /anthropic-version/],
    [{ model: 'm', messages: hello.messages }, {}, 400, /max_tokens/],
    [{ model: 'm', max_tokens: 1 }, {}, 400, /messages/],
    [hello, { path: '/v1/other' }, 404, /not_found_error/],
    [
      { ...hello, messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: '' }] }] },
      {},
      400,
      /unexpected `tool_use_id`/,
    ],
    [
      {
        ...hello,
        messages: [
          ...hello.messages,
          { role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'Bash', input: {} }] },
          { role: 'user', content: 'next' },
        ],
      },
      {},
      400,
      /without `tool_result`/,
    ],
  ];
  for (const [body, more, status, pattern] of refused) {
    const answer = await post(body, more);
    assert.equal(answer.status, status, String(pattern));
    assert.match(await answer.text(), pattern);
  }
  assert.equal(api.messages.length, 0, 'a refused request takes no step of the script');
});

test('takes an OAuth token only with its beta', async () => {
  api = await createMessagesApi({ keys: { oauthToken: 'oat' }, otherwise: say('ok') });
  const bearer = { 'anthropic-version': '1', authorization: 'Bearer oat' };
  assert.equal((await post(hello, { headers: bearer })).status, 401);
  assert.equal((await post(hello, { headers: { ...bearer, 'anthropic-beta': 'a,oauth-2025-04-20' } })).status, 200);
});

test('plays errors with their headers', async () => {
  api = await createMessagesApi();
  api.script(rateLimited(7), promptTooLong(300, 200));
  const limited = await post(hello);
  assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '7']);
  assert.match(await (await post(hello)).text(), /prompt is too long: 300 tokens > 200 maximum/);
});

test('a gate holds the stream until it opens', async () => {
  api = await createMessagesApi();
  const wait = gate();
  api.script(say('before', wait, 'after'));
  const reader = (await post({ ...hello, stream: true })).body?.pipeThrough(new TextDecoderStream()).getReader();
  let seen = '';
  while (!seen.includes('before')) seen += (await reader?.read())?.value ?? '';
  assert.ok(!seen.includes('after'));
  wait.open();
  while (!seen.includes('message_stop')) seen += (await reader?.read())?.value ?? '';
  assert.match(seen, /after/);
});

test('cuts and stalls in mid-stream', async () => {
  api = await createMessagesApi();
  api.script(cutAfter('half'), stallAfter('half'));
  await assert.rejects(async () => (await post({ ...hello, stream: true })).text());
  const stalled = await post({ ...hello, stream: true }, { signal: AbortSignal.timeout(300) });
  await assert.rejects(stalled.text(), { name: 'TimeoutError' });
});

test('a text of 5 MB arrives whole', async () => {
  api = await createMessagesApi();
  api.script(large(5_000_000));
  const answer = await (await post({ ...hello, stream: true })).text();
  assert.ok(answer.length > 5_000_000);
  assert.match(answer, /message_stop/);
});

test('the demo script runs commands and tells back', async () => {
  api = await createMessagesApi({ otherwise: demoScript });
  const ask = async (said: unknown, before: unknown[] = []) =>
    content(await post({ ...hello, messages: [...before, { role: 'user', content: said }] }));
  const [, call] = await ask('<message id="1" from="Ann">run: echo &lt;hi&gt;</message>');
  assert.deepEqual(call?.input, { command: 'echo <hi>', description: 'as asked' });
  const before = [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: [call] },
  ];
  const told = await ask(
    [{ type: 'tool_result', tool_use_id: call?.id, content: [{ type: 'text', text: '<hi>' }] }],
    before,
  );
  assert.equal(told[0]?.text, 'It printed: <hi>');
  assert.equal((await ask('<system-reminder>no</system-reminder>Good day'))[0]?.text, 'You said: Good day');
  const failed = await post({ ...hello, messages: [{ role: 'user', content: 'fail: 529' }] });
  assert.equal(failed.status, 529);
});
