import type { TestContext as T } from 'node:test';
import type { ChannelAdapter } from '../../../src/channels/adapter.ts';
import { slackFarEnd } from '../../../test/fakes/slack/far-end.ts';
import { GROUP } from '../../../test/fakes/slack/state.ts';
import { until } from '../../../test/support/until.ts';
import { type TestContext, type TestHost, testContext, testHost } from '../../telegram/testing.ts';
import { createSlack, TIMING, type Timing } from '../adapter.ts';

/** An account at the scripted Slack, and a host that writes down what it is given. */

export const QUICK: Timing = {
  ...TIMING,
  ...{ pauseMs: 20, longestPauseMs: 200, overlapMs: 200, rivalMs: 100, offerMs: 20, tokenMs: 50 },
};

export interface Stage {
  far: Awaited<ReturnType<typeof slackFarEnd>>;
  server: Awaited<ReturnType<typeof slackFarEnd>>['server'];
  state: Awaited<ReturnType<typeof slackFarEnd>>['server']['state'];
  host: TestHost;
  context: TestContext;
  adapter: ChannelAdapter;
  ann: string;
  dm: string;
  group: string;
  /** A second process with what the first one has remembered. */
  restart(timing?: Timing): Promise<ChannelAdapter>;
  /** What went to a method, oldest first. */
  fields(method: string): Readonly<Record<string, string>>[];
}

export async function onStage(t: T, { timing = QUICK, host = testHost() } = {}): Promise<Stage> {
  const far = await slackFarEnd();
  const { server } = far;
  const context = testContext(server.settings, 'slack');
  const ann = server.state.person('ann');
  const begin = async (wanted: Timing) => {
    const adapter = createSlack(context, wanted);
    await adapter.start(host);
    await until(() => adapter.health?.().state === 'connected');
    return adapter;
  };
  const stage: Stage = {
    ...{ far, server, state: server.state, host, context, ann, dm: server.state.dmOf(ann), group: GROUP },
    adapter: await begin(timing),
    async restart(wanted = timing) {
      await stage.adapter.stop();
      stage.adapter = await begin(wanted);
      return stage.adapter;
    },
    fields: (method) => server.calls.filter((call) => call.method === method).map((call) => call.fields),
  };
  t.after(async () => {
    await stage.adapter.stop();
    await far.close();
  });
  return stage;
}
