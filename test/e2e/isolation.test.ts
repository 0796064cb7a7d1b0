import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { startHost, type Terminal, type TestHost } from '../support/host-process.ts';
import { until } from '../support/until.ts';

/** From inside, through the product as a whole: what an agent may not reach. The sandbox's own escape suite goes deeper. */

let host: TestHost;
let terminal: Terminal;
before(async () => {
  host = await startHost();
  terminal = await host.terminal();
});
after(() => host[Symbol.asyncDispose]());

async function inside(command: string): Promise<string> {
  return (await terminal.ask(`run ${command}`)).join('\n');
}

describe('an agent', () => {
  const refused: [name: string, command: string][] = [
    ["can't read /etc/shadow", 'cat /etc/shadow'],
    [
      "can't see the host's home or install",
      'ls -d /root /home/[!n]* "$NANOCLAW_HOME"/data 2>/dev/null | grep . && cat /root/.bashrc',
    ],
    ["can't see other sessions", 'ls /workspace/.. /workspace/../v2-sessions 2>/dev/null | grep sess-'],
    [
      "can't see the central database or the key file",
      'find / -xdev -name v2.db -o -xdev -name .env 2>/dev/null | grep .',
    ],
    ["can't write inbound.db", 'echo x >> /workspace/inbound/inbound.db'],
    ["can't put a file beside it", 'touch /workspace/inbound/x'],
    ["can't move it away", 'mv /workspace/inbound /workspace/gone'],
    ["can't write its settings", 'echo x >> /app/group/container.json'],
    ["can't write its instructions", 'echo x > /app/group/CLAUDE.md'],
    ["can't write the runner", 'echo x >> /app/container/agent-runner/src/index.ts'],
    ["can't write the system", 'touch /usr/bin/x /etc/x /x 2>/dev/null && echo wrote'],
    ["can't replace the relay's socket", 'rm /run/proxy/proxy.sock'],
    ["can't reach a name by itself", 'getent hosts example.com'],
    ["can't send a datagram", `bash -c 'echo > /dev/udp/1.1.1.1/53'`],
    ["can't see the host's processes", 'ls /proc | grep -cE "^[0-9]+$" | grep -vE "^([0-9]|1[0-9])$" | grep .'],
  ];
  for (const [name, command] of refused) {
    test(name, async () => {
      assert.match(await inside(command), /\(exit code [1-9]/);
    });
  }

  test('has no way to the network but the socket: only loopback exists', async () => {
    const devices = await inside('cat /proc/net/dev | tail -n +3 | cut -d: -f1');
    assert.match(devices, /^\s*lo\s*\n\(exit code 0\)/);
    assert.match(await inside('cat /proc/net/route | tail -n +2 | wc -l'), /^0/);
  });
});

describe('the proxy', () => {
  test('refuses every spelling of 127.0.0.1 and of this machine', async () => {
    const hits: string[] = [];
    const server = createServer((request, response) => {
      hits.push(request.headers.host ?? '');
      response.end('reached');
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as AddressInfo;
    const own = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map(({ address, family }) => (family === 'IPv6' ? `[${address.split('%')[0]}]` : address));
    const names = [
      ...['127.0.0.1', '127.1', '127.0.0.2', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001'],
      ...['localhost', 'LOCALHOST', 'localhost.', 'x.localhost', 'ip6-localhost', '0.0.0.0', '0', '127.0.0.1.'],
      ...[
        '[::1]',
        '[::]',
        '[::ffff:127.0.0.1]',
        '[::ffff:7f00:1]',
        '[0:0:0:0:0:0:0:1]',
        '[64:ff9b::7f00:1]',
        '[2002:7f00:1::]',
      ],
      ...['169.254.169.254', '10.0.0.1', '192.168.1.1', '100.64.0.1', hostname(), `${hostname()}.`, ...own],
    ];
    const script = `for h in ${names.map((name) => `'${name}'`).join(' ')}; do
      a=$(curl --noproxy '' -s -g -m 15 -x http://127.0.0.1:4000 -o /tmp/o -w '%{http_code}' "http://$h:${port}/"); grep -qs reached /tmp/o && echo "GET $h reached";
      b=$(curl --noproxy '' -s -g -m 15 -p -x http://127.0.0.1:4000 -o /tmp/o -w '%{http_connect}' "http://$h:${port}/"); grep -qs reached /tmp/o && echo "CONNECT $h reached";
      case "$a $b" in 40?\\ 40?|50?\\ 50?|40?\\ 50?|50?\\ 40?) ;; *) echo "$h: $a $b";; esac; rm -f /tmp/o; done; echo done`;
    const said = await inside(script);
    server.close();
    assert.deepEqual(hits, []);
    assert.match(said, /^done\n\(exit code 0\)$/);
  });

  test('says why, and that the owner may allow it', async () => {
    assert.match(await inside('curl --noproxy "" -s -x http://127.0.0.1:4000 http://127.0.0.1:1/'), /loopback/i);
  });
});

describe('a mailbox that breaks its rules', () => {
  const write = (sql: string) =>
    `cat > /tmp/w.ts <<'X'
import { DatabaseSync } from 'node:sqlite';
const db = new DatabaseSync('/workspace/outbound.db');
db.exec('PRAGMA busy_timeout = 5000');
const now = new Date().toISOString();
${sql}
X
bun /tmp/w.ts; echo written`;
  const row = (id: string, seq: string, platform: string) =>
    `db.prepare("INSERT INTO messages_out VALUES (?, ?, NULL, ?, NULL, 'chat', ?, 'terminal', NULL, ?)").run(${id}, ${seq}, now, '${platform}', '{"text":"forged"}');`;

  test('a sequence that leaps ends in a notice, and the next message is answered', async () => {
    const said = await terminal.ask(`run ${write(row("'leap'", '9007199254740991', 'local'))}; sleep 2`);
    assert.match(said.join(), /mailbox file broke its rules/);
    assert.match(await inside('echo alive'), /alive/);
  });

  test('a thousand rows to a chat that it was not given end in a notice, too', async () => {
    const rows = `for (let i = 0; i < 3000; i++) { ${row("'f' + i", '100001 + 2 * i', 'elsewhere')} }`;
    const said = await terminal.ask(`run ${write(`db.exec('BEGIN IMMEDIATE'); ${rows} db.exec('COMMIT');`)}; sleep 3`);
    assert.match(said.join(), /mailbox file broke its rules/);
    assert.match(await inside('echo alive'), /alive/);
  });
});

describe('what goes too far ends alone', () => {
  test('a fork bomb: the neighbours go on, and so does the agent', async () => {
    const id = terminal.send(`run bash -c 'b() { b | b & }; b; sleep 20'`);
    await until(async () => (await terminal.ask('/status'))[0]?.includes('working'));
    const begun = performance.now();
    await terminal.ask('/status');
    assert.ok(performance.now() - begun < 2_000, 'the host answers');
    assert.deepEqual(await terminal.ask('/stop'), ['Stopped.']);
    assert.equal(terminal.outcome(id), 'stopped');
    assert.match(await inside('echo alive'), /alive/);
  });

  test('4 GB of allocation end in a sentence, and the next message is answered', async () => {
    const said = await terminal.ask(
      `run bun -e 'const a = []; for (let i = 0; i < 64; i++) a.push(Buffer.alloc(64 << 20, 1)); console.log("got it all")'`,
    );
    assert.doesNotMatch(said.join('\n'), /got it all/);
    assert.match(await inside('echo alive'), /alive/);
  });
});

test('settings for a runtime that it leaves in its folders change nothing in its next runner', async () => {
  await using fresh = await startHost();
  // Killed once, the runner is started again, and the message is offered to it again.
  const said = await (await fresh.terminal()).ask(`run cd /workspace; [ -e once ] || {
    echo 'require("fs").writeFileSync("/workspace/hit", "")' > evil.js
    echo 'preload = ["/workspace/evil.js"]' | tee bunfig.toml agent/bunfig.toml > ~/.bunfig.toml
    echo 'PLANTED=yes' | tee agent/.env ~/.env > .env
    touch once; kill -9 $PPID; sleep 20; }; [ -e hit ] || echo no hit; echo "planted: $PLANTED."`);
  assert.match(said.at(-1) ?? '', /no hit\nplanted: \.\n/);
});
