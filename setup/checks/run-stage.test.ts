import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stageEnv } from './run-stage.ts';

test("a stage knows nothing of this user's install, credentials or test runner", () => {
  const given = {
    PATH: '/bin',
    NODE_EXTRA_CA_CERTS: '/ca',
    NANOCLAW_HOME: '/home/me/nanoclaw',
    ANTHROPIC_BASE_URL: 'http://x',
    CLAUDE_CODE_OAUTH_TOKEN: 'secret',
    NODE_TEST_CONTEXT: 'child-v8',
    FORCE_COLOR: '1',
  };
  assert.deepEqual(stageEnv(given), { PATH: '/bin', NODE_EXTRA_CA_CERTS: '/ca', NO_COLOR: '1' });
});

test('without them, it is given the environment as it is', () => {
  assert.deepEqual(stageEnv({ LANG: 'C.UTF-8', MY_CLAUDE: '1' }), { LANG: 'C.UTF-8', MY_CLAUDE: '1', NO_COLOR: '1' });
});
