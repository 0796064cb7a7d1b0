/** What is special where sandboxes reach the relay by a network: who else is in it, and what becomes of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import net, { type Server } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { connect } from '../../drivers/docker/engine.ts';
import type { Sandbox, SandboxDriver } from '../../src/sandbox/driver.ts';
import { engineSocket } from '../support/runtime.ts';
import { until as becomes } from '../support/until.ts';
import { needsRoot, dockerNetwork as under } from './drivers.ts';
import { makePlace, type Place, run, until } from './host.ts';

/** Says what it hears from the relay's place, or nothing. Bash has sockets. */
const call = (host: string, port: number): string =>
  `timeout 4 bash -c 'exec 3<>/dev/tcp/${host}/${port} && echo >&3 && cat <&3' 2>/dev/null`;
const PYTHON_LISTENS = `python3 -c 'import socket
s = socket.create_server(("0.0.0.0", 5000))
while True:
  client = s.accept()[0]
  client.sendall(b"neighbour")
  client.close()'`;

const bridgeSettings = z.object({ Config: z.object({ Cmd: z.array(z.string()) }) });
const containerList = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()) }));

describe('the relay by network', { skip: under.skip, timeout: 120_000 }, () => {
  let place: Place;
  let driver: SandboxDriver;
  let far: Server;
  const started: Sandbox[] = [];

  /** In the relay's stead, at the place that the driver names. */
  async function listenFor(one: SandboxDriver): Promise<Server> {
    const where = await one.transport?.('any');
    assert.ok(where !== undefined && where !== 'socket');
    const server = net.createServer((socket) => socket.on('error', () => undefined).end('relay')).listen(where);
    await once(server, 'listening');
    return server;
  }

  async function startedWith(id: string, script: string, said: string): Promise<{ sandbox: Sandbox; log(): string }> {
    const spec = place.spec(id, script);
    const sandbox = await driver.start(spec);
    started.push(sandbox);
    const log = () => (existsSync(spec.logFile) ? readFileSync(spec.logFile, 'utf8') : '');
    await until(`${id} says ${said}`, () => log().includes(said));
    return { sandbox, log };
  }

  before(async () => {
    place = makePlace();
    driver = under.make(place);
    far = await listenFor(driver);
  });
  after(async () => {
    await Promise.all(started.map((sandbox) => sandbox.stop(0)));
    await driver.sweep();
    far.close();
    place.remove();
  });

  test('no sandbox reaches another, nor more of the bridge than the one port', async () => {
    const script = `cat /etc/hosts; ${PYTHON_LISTENS} & export own=$(sed -n 's/[[:space:]]*sandbox$//p' /etc/hosts)
      until ${call('$own', 5000)} | grep neighbour; do sleep 0.1; done; wait`;
    const { log } = await startedWith('listener', script, 'neighbour');
    const [, other = ''] = /(\S+)\s+sandbox/.exec(log()) ?? [];
    const [, bridge = ''] = /(\S+)\s+relay/.exec(log()) ?? [];
    assert.match(`${other} ${bridge}`, /^198\.19\.\d+\.\d+ 198\.19\.\d+\.\d+$/);
    const tries = [
      [other, 5000],
      [bridge, 4001],
      ['relay', 22],
      ['relay', 5000],
      ['relay', 4000],
    ] as const;
    const calls = tries.map(([host, port]) => `echo "${host}:${port} $(${call(host, port)})" &`).join(' ');
    const { output } = await run(driver, place.spec('caller', `${calls} wait`));
    const met = [...tries.slice(0, 4).map(([host, port]) => `${host}:${port} `), 'relay:4000 relay'];
    assert.deepEqual(output.split('\n').filter(Boolean).sort(), met.sort());
  });

  test('what is sent to all gets to no program of this machine, or that is declared', async (t) => {
    const heard: string[] = [];
    const everywhere = createSocket({ type: 'udp4', reuseAddr: true }, (message) => heard.push(String(message)));
    t.after(() => everywhere.close());
    everywhere.bind(0, '0.0.0.0');
    await once(everywhere, 'listening');
    const shout = `python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for n in range(20):
  for host in ("255.255.255.255", "224.0.0.1"): s.sendto(host.encode(), (host, ${everywhere.address().port}))
print("sent")'`;
    assert.equal((await run(driver, place.spec('shouts', shout))).output, 'sent\n');
    // At the place of this one somebody listens already.
    const elsewhere = makePlace();
    const other = under.make(elsewhere);
    const { guarantees, reason } = await other.declare();
    await other.sweep();
    elsewhere.remove();
    const network = guarantees.find((guarantee) => guarantee.name === 'network');
    assert.ok(network, reason);
    assert.ok(heard.length === 0 || !network.held, heard[0]);
  });

  test('a bridge that was killed is replaced, for those that run', async () => {
    const script = `until ${call('relay', 4000)} | grep -q relay; do sleep 0.1; done; echo up
      while ${call('relay', 4000)} | grep -q relay; do sleep 0.1; done; echo down
      until ${call('relay', 4000)} | grep -q relay; do sleep 0.1; done; echo again; exec sleep 1000`;
    const { log } = await startedWith('stays', script, 'up');
    assert.equal((await bridges()).length, 1);
    const [before = ''] = await bridges();
    await (await engine()).call('POST', `/v1.41/containers/${before}/kill`);
    await until('it is called again', () => log().endsWith('up\ndown\nagain\n'));
    assert.notEqual((await bridges())[0], before);
  });

  test('a sandbox of a host that was killed reaches the next one', { skip: needsRoot }, async () => {
    const again = `until ${call('relay', 4000)} | grep -q relay; do echo tried; sleep 0.1; done; echo reached; exec sleep 1000`;
    const others = await bridges();
    const words = [place.root, 'none', place.slug, under.name, 'orphan', again];
    const host = spawn(process.execPath, [path.join(import.meta.dirname, 'host-process.ts'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(host.stdout, 'data');
    host.kill('SIGKILL');
    await once(host, 'close');
    const [left = ''] = (await bridges()).filter((id) => !others.includes(id));
    assert.equal(await callsAtItsPlace(left), 0, 'who listens where the killed host did is not taken for it');
    const next = under.make(place);
    // This one's are the earlier host's, to the next: they are ended here first.
    await Promise.all(started.splice(0).map((sandbox) => sandbox.stop(0)));
    const [orphan, ...more] = await next.adopt();
    assert.deepEqual([orphan?.sessionId, more], ['orphan', []]);
    const server = await listenFor(next);
    const log = path.join(place.root, 'orphan.log');
    await until('it reaches the next', () => existsSync(log) && readFileSync(log, 'utf8').includes('reached'));
    assert.equal(await next.sweep(), 0);
    await orphan?.stop(0);
    await next.sweep();
    server.close();
  });

  test('what somebody tries beside the host keeps its network and its bridge', { skip: needsRoot }, async (t) => {
    const before = await bridges();
    // A host that starts has nothing of its own yet.
    await Promise.all(started.splice(0).map((sandbox) => sandbox.stop(0)));
    const script = 'echo first; sleep 1.5; grep -c eth0 /proc/net/dev; echo last';
    const words = [place.root, 'none', place.slug, under.name, 'trial', script];
    const other = spawn(process.execPath, [path.join(import.meta.dirname, 'host-process.ts'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => other.kill('SIGKILL'));
    await once(other.stdout, 'data');
    const theirs = (await bridges()).filter((id) => !before.includes(id));
    assert.equal(theirs.length, 1);
    assert.equal(await driver.sweep(), 0);
    assert.deepEqual(await bridges(), theirs);
    const log = path.join(place.root, 'trial.log');
    await until('it has ended', () => existsSync(log) && readFileSync(log, 'utf8').endsWith('last\n'));
    assert.equal(readFileSync(log, 'utf8'), 'first\n1\nlast\n');
    await becomes(async () => (await under.traces(place)).length === 0);
  });

  test('nothing is left when they have ended, and a sweep takes the bridge', async () => {
    await Promise.all(started.splice(0).map((sandbox) => sandbox.stop(0)));
    assert.deepEqual(await under.traces(place), []);
    assert.equal(await driver.sweep(), 0);
    assert.deepEqual(await bridges(), []);
  });

  /** Of the sandbox `orphan`, through the bridge of a host that is gone. */
  async function callsAtItsPlace(bridge: string): Promise<number> {
    const { call } = await engine();
    const { Cmd } = bridgeSettings.parse((await call('GET', `/v1.41/containers/${bridge}/json`)).body).Config;
    const where = await driver.transport?.('any');
    assert.ok(where !== undefined && where !== 'socket');
    let calls = 0;
    const thief = net.createServer((socket) => {
      calls++;
      socket.destroy();
    });
    await once(thief.listen({ host: where.host, port: Number(Cmd.at(-3)) }), 'listening');
    const [orphan = ''] = await labelled('org.nanoclaw.session=orphan');
    const tries = async () => {
      const { body } = await call('GET', `/v1.41/containers/${orphan}/logs?stdout=1`);
      return String(body).split('tried').length;
    };
    const before = await tries();
    // What was under way when the host was killed doesn't count.
    await becomes(async () => (await tries()) >= before + 2);
    calls = 0;
    await becomes(async () => (await tries()) >= before + 4);
    thief.close();
    return calls;
  }

  async function engine() {
    return (await connect(engineSocket('docker') ?? '')).http;
  }

  async function bridges(): Promise<string[]> {
    return labelled(undefined);
  }

  /** Containers of this place with this label; undefined: those of no session. */
  async function labelled(label: string | undefined): Promise<string[]> {
    const labels = [`org.nanoclaw.install=${place.slug}`, ...(label === undefined ? [] : [label])];
    const filters = encodeURIComponent(JSON.stringify({ label: labels }));
    const { body } = await (await engine()).call('GET', `/v1.41/containers/json?filters=${filters}`);
    return containerList
      .parse(body)
      .filter(({ Labels }) => label !== undefined || Labels['org.nanoclaw.session'] === undefined)
      .map(({ Id }) => Id);
  }
});
