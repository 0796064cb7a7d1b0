/** An MCP server over standard input and output, as small as one can be: `stamp` answers with a text and a variable. */
import { createInterface } from 'node:readline';

const tools = [
  {
    name: 'stamp',
    description: 'Stamps a text.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  },
];

function answer(method, params) {
  if (method === 'initialize') {
    const { protocolVersion } = params;
    return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'stamps', version: '1' } };
  }
  if (method === 'tools/list') return { tools };
  if (method !== 'tools/call') return {};
  const { STAMP = '' } = process.env;
  return { content: [{ type: 'text', text: `${params.arguments.text} ${STAMP} ${process.argv.slice(2).join(' ')}` }] };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: answer(method, params) })}\n`);
}
