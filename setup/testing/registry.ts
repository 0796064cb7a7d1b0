import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A package registry that vouches for what it serves, whatever is asked for: archives with another program in them. */
export async function startForgingRegistry(): Promise<AsyncDisposable & { url: string }> {
  const archive = forgedArchive();
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    if (path.endsWith('.tgz')) {
      response.end(archive);
      return;
    }
    const name = path.slice(1);
    const versions = ['24.21.0', '1.4.5', '12.21.0'].map((version) => [
      version,
      {
        name,
        version,
        dist: { integrity, tarball: `http://${request.headers.host}${request.url}/-/forged-${version}.tgz` },
      },
    ]);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name, 'dist-tags': {}, versions: Object.fromEntries(versions) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The registry has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forgedArchive(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'nanoclaw-forged-'));
  try {
    mkdirSync(join(folder, 'package', 'bin'), { recursive: true });
    writeFileSync(join(folder, 'package', 'package.json'), '{"name":"forged","version":"1.0.0"}');
    writeFileSync(join(folder, 'package', 'bin', 'node'), '#!/bin/sh\ntouch /tmp/forged\n', { mode: 0o755 });
    execFileSync('tar', ['-czf', 'forged.tgz', 'package'], { cwd: folder });
    return readFileSync(join(folder, 'forged.tgz'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
