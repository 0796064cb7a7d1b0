/** What others put into an engine, or an engine into a sandbox, and is not to be believed or not to be told. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { LABEL } from '../../drivers/docker/body.ts';
import { createHttp } from '../../drivers/docker/http.ts';
import type { SandboxDriver } from '../../src/sandbox/driver.ts';
import { DRIVERS, TEST_IMAGE } from './drivers.ts';
import { makePlace, type Place, processesWith, run, until } from './host.ts';

for (const under of DRIVERS.filter((driver) => driver.socket !== null)) {
  const { name, socket, skip } = under;
  describe(`${name}: what is foreign`, { skip, timeout: 120_000 }, () => {
    let place: Place;
    let driver: SandboxDriver;
    before(() => {
      place = makePlace();
      driver = under.make(place);
    });
    after(async () => {
      await driver.sweep();
      place.remove();
    });

    test('what somebody else has labelled as ours is ended, and never written down where its label says', async () => {
      const file = path.join(place.root, 'authorized_keys');
      writeFileSync(file, 'the owner\n');
      const { call } = createHttp(socket ?? '');
      const limit = (Name: string) => ({ Name, Soft: 1000, Hard: 1000 });
      const mark = `7${Date.now()}`;
      const { body } = await call('POST', '/v1.41/containers/create', {
        body: {
          Image: TEST_IMAGE,
          Entrypoint: ['/bin/sh', '-c', `echo forged; exec sleep ${mark}`],
          Labels: {
            [LABEL.install]: place.slug,
            [LABEL.session]: 'known',
            [LABEL.host]: 'an-earlier-one',
            [LABEL.log]: file,
          },
          HostConfig: { NetworkMode: 'none', Ulimits: [limit('nproc'), limit('nofile')] },
        },
      });
      const { Id } = z.object({ Id: z.string() }).parse(body);
      await call('POST', `/v1.41/containers/${Id}/start`);
      await until('it runs', () => processesWith(mark) === 1);
      const adopted = await driver.adopt();
      await Promise.all(adopted.map((sandbox) => sandbox.stop(0)));
      assert.deepEqual([adopted, readFileSync(file, 'utf8')], [[], 'the owner\n']);
      assert.equal(await driver.sweep(), 1);
      assert.equal(processesWith(mark), 0);
    });

    test("nothing is told of this machine's network and of the names in it", async () => {
      const { output } = await run(driver, place.spec('names', 'cat /etc/hosts /etc/resolv.conf'));
      assert.equal(output, '127.0.0.1 localhost sandbox\n::1 localhost\n');
    });
  });
}
