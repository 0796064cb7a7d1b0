import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Tool } from '@nanoclaw/agent-runner/tool';
import { Outbound } from '../../../container/agent-runner/src/mailbox/outbound.ts';
import { createTools } from '../../../container/agent-runner/src/tools/index.ts';
import { toolServer } from './harness-tools.ts';

/** What makes a server of our tools, against the protocol's own suite; and the product's server, as the harness gets it. */

const ROOT = join(import.meta.dirname, '../../..');
const SUITE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

const FIXTURE: readonly Tool[] = [
  {
    name: 'test_simple_text',
    description: 'Says something.',
    input: {},
    run: async () => ({ text: 'This is a simple text response for testing.' }),
  },
  {
    name: 'test_error_handling',
    description: 'Fails.',
    input: {},
    run: async () => ({ text: 'This tool intentionally returns an error for testing', isError: true }),
  },
];

/** Over HTTP, which the suite speaks: a server of ours for each of its sessions. */
async function serve(): Promise<{ url: string } & AsyncDisposable> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const http = createServer(async (request, response) => {
    const id = request.headers['mcp-session-id'];
    let transport = typeof id === 'string' ? sessions.get(id) : undefined;
    if (!transport) {
      const made = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (session) => void sessions.set(session, made),
      });
      await toolServer(FIXTURE).instance.connect(made);
      transport = made;
    }
    await transport.handleRequest(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
    },
  };
}

/** The scenarios that docs/tools.md gives a reason for. */
function leftOut(): string[] {
  const page = readFileSync(join(ROOT, 'docs/tools.md'), 'utf8');
  const [, section = ''] = page.split('## The protocol');
  return section
    .split('\n')
    .flatMap((line) =>
      line.startsWith('| `')
        ? [...(line.split('|')[1]?.matchAll(/`([^`]+)`/g) ?? [])].map(([, name]) => String(name))
        : [],
    );
}

test('a server of our tools passes all of the suite that is about what it does', { timeout: 120_000 }, async () => {
  await using server = await serve();
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-conformance-'));
  try {
    const expected = join(folder, 'expected.yml');
    writeFileSync(
      expected,
      `server:\n${leftOut()
        .map((name) => `  - ${name}\n`)
        .join('')}`,
    );
    const child = spawn('node', [SUITE, 'server', '--url', server.url, '--expected-failures', expected], {
      cwd: folder,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output += String(data);
      });
    }
    const [code] = await once(child, 'close');
    assert.equal(code, 0, output.slice(-4_000));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the product's own server: initialize, ping and the list of its tools", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-tools-'));
  const outbound = new Outbound(join(folder, 'outbound.db'), () => 0);
  const look = () => assert.fail('nothing is called');
  const client = new Client({ name: 'test', version: '1' });
  try {
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    const tools = createTools({ outbound, outbox: folder, cwd: folder, look });
    await toolServer(tools).instance.connect(theirs);
    await client.connect(ours);
    assert.equal(client.getServerVersion()?.name, 'nanoclaw');
    assert.deepEqual(await client.ping(), {});
    const listed = (await client.listTools()).tools;
    assert.deepEqual(
      listed.map(({ name }) => name),
      tools.map(({ name }) => name),
    );
    for (const { name, description, inputSchema } of listed) {
      assert.equal(inputSchema.type, 'object', name);
      assert.ok(description, name);
    }
    const refused = await client.callTool({ name: 'send_card', arguments: { title: 'Which?', text: '', buttons: [] } });
    assert.equal(refused.isError, true);
  } finally {
    await client.close();
    outbound.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
