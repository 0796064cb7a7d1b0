import { parseArgs } from 'node:util';
import { demoScript } from './demo.ts';
import { createMessagesApi, TEST_KEY } from './server.ts';

/** `node test/fakes/messages-api/main.ts [--port N] [--script demo] [--key K]`: the API by hand. Prints its URL. */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    script: { type: 'string', default: 'demo' },
    key: { type: 'string', default: TEST_KEY },
  },
});
if (values.script !== 'demo') {
  console.error(`There is no script "${values.script}": there is "demo".`);
  process.exit(2);
}
const api = await createMessagesApi({
  port: Number(values.port),
  keys: { apiKey: values.key, authToken: values.key, oauthToken: values.key },
  otherwise: demoScript,
});
console.log(api.url);
console.error(`Messages API, scripted. ANTHROPIC_BASE_URL=${api.url} ANTHROPIC_API_KEY=${values.key}`);
