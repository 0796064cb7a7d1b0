/** The agent opens pages with Chromium, through the relay: those that a rule names, and no others. In an engine's sandbox. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bash, createMessagesApi, message, resultText, say, TEST_KEY, tool } from '../fakes/messages-api/index.ts';
import { startHost } from '../support/host-process.ts';
import { askNcl } from '../support/ncl.ts';
import { readPng } from '../support/png.ts';
import { engineSocket, testRuntime } from '../support/runtime.ts';

const image = process.env.NANOCLAW_TEST_BROWSER_IMAGE;
const runtime = testRuntime === 'bubblewrap' ? 'docker' : testRuntime;
/** A browser reaches its own loopback by itself, whatever the proxy: the site has to be elsewhere. */
const address = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const skip =
  (engineSocket(runtime) === undefined && `NANOCLAW_TEST_${runtime.toUpperCase()} names no socket of an engine`) ||
  (image === undefined && 'NANOCLAW_TEST_BROWSER_IMAGE names no image with Chromium') ||
  (address === undefined && 'this machine has no address but loopback') ||
  (spawnSync('openssl', ['version']).status !== 0 && 'needs openssl to make a certificate');

interface Site {
  /** `address:port` */
  at: string;
  word: string;
  /** Of the page's ground, chosen anew each time. */
  colour: readonly [number, number, number];
  visits: number;
}

async function startSite(t: TestContext, tls?: { key: Buffer; cert: Buffer }): Promise<Site> {
  const [red = 0, green = 0, blue = 0] = randomBytes(3);
  const site: Site = { at: '', word: randomBytes(6).toString('hex'), colour: [red, green, blue], visits: 0 };
  const page = `<!doctype html><title>t</title><body style="margin:0;background:rgb(${red},${green},${blue})">
    <h1 style="margin:200px"></h1><script>document.querySelector('h1').textContent = 'word ${site.word}'</script>`;
  const answer: http.RequestListener = (_request, reply) => {
    site.visits += 1;
    reply.setHeader('Content-Type', 'text/html').end(page);
  };
  const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
  server.listen(0, address);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  site.at = `${address}:${bound.port}`;
  return site;
}

/** Of nobody whom a browser trusts. */
function certificate(t: TestContext): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'browser-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=site', '-addext', `subjectAltName=IP:${address}`, '-keyout', key, '-out', cert],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

test('it opens a page that a rule names, reads it, sends a screenshot of it; others are refused', {
  skip,
}, async (t) => {
  const own = certificate(t);
  const [site, secret, tls, otherTls] = await Promise.all([
    startSite(t),
    startSite(t),
    startSite(t, own),
    startSite(t, own),
  ]);
  const api = await createMessagesApi();
  t.after(() => api.close());
  const env = { ANTHROPIC_API_KEY: TEST_KEY, ANTHROPIC_BASE_URL: api.url };
  const environment = { NANOCLAW_IMAGE: image ?? '' };
  await using host = await startHost({ provider: 'claude', runtime, env, environment });
  const rules = `${site.at},${tls.at}`;
  const changed = await askNcl(host.home, ['groups', 'config', 'update', 'Andy', '--egress-allow', rules]);
  assert.ok(changed.ok, changed.text);
  const terminal = await host.terminal();
  api.script(
    bash(`agent-browser open http://${site.at}/ && agent-browser get text h1`),
    // Another command: the browser has stayed open.
    bash('agent-browser screenshot shot.png'),
    message(tool('mcp__nanoclaw__send_file', { path: 'shot.png', text: 'The page.' })),
    bash(`agent-browser open http://${secret.at}/; agent-browser get text body`),
    bash(`agent-browser open https://${otherTls.at}/`),
    bash(`agent-browser open https://${tls.at}/`),
    bash(
      `agent-browser close; agent-browser --ignore-https-errors open https://${tls.at}/ && agent-browser get text h1`,
    ),
    say('There you are.'),
  );
  assert.deepEqual(await terminal.ask('show me the page'), ['The page.', 'There you are.']);

  const results = (api.messages.at(-1)?.messages ?? [])
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
    .flatMap((block) => (block.type === 'tool_result' ? [resultText(block)] : []));
  const [read = '', shot = '', , refused = '', otherRefused = '', untrusted = '', overlooked = ''] = results;
  assert.match(read, new RegExp(`word ${site.word}`), 'read, after its script has run');
  assert.match(shot, /shot\.png/);
  assert.match(refused, new RegExp(`Refused by the host of this sandbox: .*rule: ${secret.at}`));
  assert.match(otherRefused, /ERR_TUNNEL_CONNECTION_FAILED/);
  assert.match(
    untrusted,
    /ERR_CERT_AUTHORITY_INVALID/,
    "the relay doesn't stand between: the certificate is the site's",
  );
  assert.match(overlooked, new RegExp(`word ${tls.word}`));
  assert.deepEqual([secret.visits, otherTls.visits], [0, 0]);
  assert.ok(site.visits > 0 && tls.visits > 0);

  const [file] = terminal.frames.flatMap((frame) => (frame.type === 'message' ? frame.files : []));
  assert.equal(file?.name, 'shot.png');
  const { width, height, pixel } = readPng(readFileSync(file.path));
  assert.ok(width >= 800 && height >= 500, `${width} x ${height}`);
  assert.deepEqual(pixel(5, 5), site.colour);
  assert.deepEqual(pixel(width - 6, height - 6), site.colour);
});
