import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createSlack, TIMING } from '../../channels/slack/adapter.ts';
import { createWebDoors } from '../../channels/web-server/index.ts';
import type { ChannelAdapter } from '../../src/channels/adapter.ts';
import type { ChannelContext, WebDoors } from '../../src/channels/plugin.ts';
import { slackFarEnd } from '../fakes/slack/far-end.ts';
import type { SlackServer } from '../fakes/slack/server.ts';
import { type Signed, signedBody, signedRequest } from '../fakes/slack/webhook.ts';
import { until } from '../support/until.ts';
import { type Stage, withStage } from './suite/stage.ts';
import { channelContract } from './suite.ts';

/** The same channel where Slack calls: the Events API, by the host's real web server. */

const doorsBy = new Map<string, WebDoors>();

function create(context: ChannelContext): ChannelAdapter {
  const doors = createWebDoors({ env: () => ({ WEBHOOK_PORT: '0' }), log: context.log });
  doorsBy.set(context.settings.API_URL ?? '', doors);
  const timing = { ...TIMING, offerMs: 50 };
  return createSlack({ ...context, web: doors.of(context.instance) }, timing);
}

async function call({ url }: SlackServer, { body, headers }: Signed, more: Record<string, string> = {}) {
  const port = doorsBy.get(url)?.port();
  if (port === undefined) throw new Error('The door is closed.');
  return fetch(`http://127.0.0.1:${port}/webhook/slack`, { method: 'POST', body, headers: { ...headers, ...more } });
}

async function farEnd() {
  let isOpen = true;
  let last = Promise.resolve();
  const far = await slackFarEnd(async (server, payload) => {
    // Slack tries a few times, each signed anew.
    const send = async () => {
      for (let tries = 0; isOpen; tries++) {
        const retry = tries === 0 ? {} : { 'x-slack-retry-num': String(tries), 'x-slack-retry-reason': 'http_error' };
        const response = await call(server, signedRequest(payload), retry).catch(() => undefined);
        await response?.arrayBuffer();
        if (response?.ok) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    last = last.then(send);
  });
  return {
    ...far,
    settings: far.server.webhookSettings,
    refused: { ...far.server.webhookSettings, BOT_TOKEN: 'xoxb-this-one-was-revoked' },
    async close() {
      isOpen = false;
      await last;
      await far.close();
    },
  };
}

const under = { name: 'slack', farEnd, create };
channelContract(under);

function withServer(name: string, run: (stage: Stage, server: SlackServer, context: TestContext) => Promise<void>) {
  test(name, (context) =>
    withStage(under, async (stage) => {
      assert.ok('server' in stage.far);
      const { server } = stage.far as Awaited<ReturnType<typeof farEnd>>;
      await run(stage, server, context);
    }),
  );
}

const said = (server: SlackServer, text: string) =>
  server.said({ channel: server.state.dmOf(server.state.person('ann')), user: server.state.person('ann'), text });

withServer('Slack’s question whether it is us is answered, when it is signed', async (_stage, server) => {
  const question = {
    type: 'url_verification',
    token: 'x',
    challenge: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P',
  };
  const response = await call(server, signedRequest(question));
  assert.deepEqual([response.status, await response.json()], [200, { challenge: question.challenge }]);
  assert.equal((await call(server, signedRequest(question, Date.now(), '0'.repeat(32)))).status, 401);
});

withServer('a wrong signature, an old time, another body and none are all refused alike', async (stage, server) => {
  const payload = said(server, 'forged');
  const good = signedRequest(payload);
  const { 'x-slack-signature': _, ...unsigned } = good.headers;
  const requests: Signed[] = [
    signedRequest(payload, Date.now(), 'another secret'),
    signedRequest(payload, Date.now() - 6 * 60_000),
    signedRequest(payload, Date.now() + 6 * 60_000),
    { ...good, body: good.body.replace('forged', 'forget') },
    { ...good, headers: { ...good.headers, 'x-slack-signature': 'v0=' } },
    { ...good, headers: { ...good.headers, 'x-slack-request-timestamp': 'soon' } },
    { ...good, headers: unsigned },
  ];
  for (const request of requests) assert.equal((await call(server, request)).status, 401);
  await stage.hear('signed');
  await stage.heard('signed');
  assert.equal(stage.events.length, 1);
});

withServer('a replay changes nothing, and neither does an event that Slack brings again', async (stage, server) => {
  const payload = said(server, 'once');
  const request = signedRequest(payload);
  assert.equal((await call(server, request)).status, 200);
  assert.equal((await call(server, request)).status, 200);
  const retry = { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' };
  assert.equal((await call(server, signedRequest(payload, Date.now() - 1000), retry)).status, 200);
  await until(() => stage.events.length === 1);
  await stage.hear('behind it');
  await stage.heard('behind it');
  assert.equal(stage.events.length, 2);
});

withServer('no JSON, a list, a form without a payload: 400, and the next one is taken', async (stage, server) => {
  for (const body of ['no JSON', '"text"', '', '\u0000', '[1,']) {
    assert.equal((await call(server, signedBody(body))).status, 400, body);
  }
  assert.equal((await call(server, signedBody('a=b', Date.now(), undefined, true))).status, 400);
  assert.equal((await call(server, signedBody('[1]'))).status, 200);
  await stage.hear('behind it');
  await stage.heard('behind it');
});

withServer('50 MB are not read to the end', async (stage, server) => {
  const body = 'x'.repeat(50 * 1024 * 1024);
  const status = await call(server, signedBody(body)).then(
    (response) => response.status,
    () => 'cut off',
  );
  assert.ok(status === 413 || status === 'cut off', String(status));
  await stage.hear('behind it');
  await stage.heard('behind it');
});

withServer('what was pressed comes as a form, and is answered to the one who pressed', async (stage, server) => {
  const card = { title: 'May I?', body: 'All of it.', buttons: [{ data: 'yes', label: 'Allow' }] };
  assert.equal((await stage.say({ text: 'May I?', card })).status, 'sent');
  await stage.far.press?.(stage.far.chats.dm, 'Allow', 'ann');
  await until(() => stage.presses.length === 1);
  await until(() => server.state.ephemeral.length === 1);
  const ann = server.state.person('ann');
  assert.deepEqual(server.state.ephemeral, [{ channel: stage.far.chats.dm, user: ann, text: 'Noted.' }]);
});

withServer('an event that can not be written down is asked for again', async (stage, server) => {
  const { mkdirSync, renameSync, rmSync } = await import('node:fs');
  const folder = `${stage.context.folder}/events`;
  renameSync(folder, `${folder}.away`);
  const payload = said(server, 'no room');
  const response = await call(server, signedRequest(payload));
  assert.equal(response.status, 503);
  assert.equal(stage.events.length, 0);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  assert.equal((await call(server, signedRequest(payload), { 'x-slack-retry-num': '1' })).status, 200);
  await stage.heard('no room');
});
