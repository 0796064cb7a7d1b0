import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { systemPath } from './checkout.ts';

const VERSION = { ApiVersion: '1.41', Version: '20.10.24', Arch: 'amd64', Components: [{ Name: 'Engine' }] };
const INFO = { CgroupVersion: '2', Runtimes: { runc: {} }, DefaultRuntime: 'runc' };

/** An engine that answers, and has no image. */
export async function startBareEngine(socket: string): Promise<AsyncDisposable> {
  const server = createServer(({ url = '' }, response) => {
    const answer = url === '/version' ? VERSION : url.endsWith('/info') ? INFO : undefined;
    response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? { message: 'No such image' }));
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A PATH as of a machine without any engine, whose package manager only notes what it is told. */
export function pathWithoutEngines(folder: string, told: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const known = new Set(['docker', 'dockerd', 'podman', 'apt-get', 'sudo']);
  for (const each of systemPath().split(delimiter)) {
    for (const name of namesIn(each)) {
      if (known.has(name)) continue;
      known.add(name);
      symlinkSync(join(each, name), join(bin, name));
    }
  }
  const program = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  program('apt-get', `echo "$*" >> '${told}'`);
  program('sudo', '[ "$1" = -n ] && shift\nexec "$@"');
  return bin;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // PATH may name folders that aren't there.
    return [];
  }
}
