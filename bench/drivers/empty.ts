import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { createHttp, type Http } from '../../drivers/docker/http.ts';
import type { DriverName } from '../../drivers/names.ts';
import { engineSocket, TEST_IMAGE } from '../../test/support/runtime.ts';

/** What the means itself takes to run `/bin/true`, with nothing of ours around it. */

export interface EmptyStart {
  /** ms until it runs; an engine says when. */
  begun: number | undefined;
  /** ms until it has ended. */
  ended: number;
}

export async function emptyStart(driver: DriverName): Promise<EmptyStart> {
  const socket = engineSocket(driver);
  return socket === undefined ? bubblewrap() : engine(createHttp(socket));
}

function bubblewrap(): EmptyStart {
  const from = performance.now();
  execFileSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '/bin/true']);
  return { begun: undefined, ended: performance.now() - from };
}

const created = z.object({ Id: z.string() });

async function engine(http: Http): Promise<EmptyStart> {
  const body = { Image: TEST_IMAGE, Entrypoint: ['/bin/true'], Cmd: [], HostConfig: { NetworkMode: 'none' } };
  const from = performance.now();
  const { Id } = created.parse((await http.call('POST', '/v1.41/containers/create', { body })).body);
  const at = `/v1.41/containers/${Id}`;
  try {
    await http.call('POST', `${at}/start`);
    const begun = performance.now() - from;
    await http.call('POST', `${at}/wait?condition=not-running`);
    return { begun, ended: performance.now() - from };
  } finally {
    await http.call('DELETE', `${at}?force=1`);
  }
}
