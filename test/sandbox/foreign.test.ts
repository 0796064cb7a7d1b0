/** What others put into an engine, or an engine into a sandbox, and is not to be believed or not to be told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import { LABEL } from '../../drivers/docker/body.ts';
import { createHttp } from '../../drivers/docker/http.ts';
import { createDockerDriver } from '../../drivers/docker/index.ts';
import type { SandboxDriver } from '../../src/sandbox/driver.ts';
import { DRIVERS, TEST_IMAGE } from './drivers.ts';
import { makePlace, type Place, processesWith, run, until } from './host.ts';

for (const under of DRIVERS.filter((driver) => driver.socket !== null)) {
  const { name, socket, skip } = under;
  describe(`${name}: what is foreign`, { skip, timeout: 120_000 }, () => {
    let place: Place;
    let driver: SandboxDriver;
    let images = 0;
    before(() => {
      place = makePlace();
      driver = under.make(place);
    });
    after(async () => {
      await driver.sweep();
      place.remove();
    });

    const withImage = (image: string): SandboxDriver =>
      createDockerDriver({
        slug: place.slug,
        stateDir: path.join(place.root, 'state'),
        log: () => undefined,
        socket: socket ?? '',
        image,
      });

    /** From the image of the tests, with one line more. Removed after the test. */
    function makeImage(t: TestContext, line: string): string {
      const image = `nanoclaw-foreign-${place.slug}-${++images}:latest`;
      const [program, at] = name === 'podman' ? ['podman', ['--remote', '--url']] : ['docker', ['--host']];
      const command = (...words: string[]) => {
        const made = spawnSync(program, [...at, `unix://${socket}`, ...words], {
          input: `FROM ${TEST_IMAGE}\n${line}\n`,
          encoding: 'utf8',
          env: { ...process.env, DOCKER_BUILDKIT: '0' },
        });
        assert.equal(made.status, 0, made.stderr);
      };
      t.after(() => command('rmi', image));
      command('build', '--tag', image, '-');
      return image;
    }

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

    test('an image with a volume or with settings for the loader is refused; of others nothing but files is taken', async (t) => {
      const declared = await withImage(makeImage(t, 'VOLUME /data')).declare();
      assert.equal(declared.usable, false);
      assert.match(declared.reason ?? '', /has a volume at \/data/);
      await assert.rejects(withImage(makeImage(t, 'ENV LD_PRELOAD=/nowhere.so')).start(place.spec('strange', 'true')), {
        code: 'NC_SANDBOX_UNUSABLE',
        message: /sets LD_PRELOAD/,
      });
      const plain = withImage(makeImage(t, 'ENV OF_THE_IMAGE=told NODE_OPTIONS=--no-warnings'));
      const command = ['/usr/bin/env'];
      const env = { PATH: '/usr/bin:/bin', QUOTED: `it's "a" $b` };
      const { output } = await run(plain, place.spec('plain', '', { command, env }));
      assert.deepEqual(output.trimEnd().split('\n').sort(), ['PATH=/usr/bin:/bin', `QUOTED=it's "a" $b`]);
    });

    test('a trial of another process, which looks whether sandboxes start, is let be', async () => {
      const { call } = createHttp(socket ?? '');
      const limit = (Name: string) => ({ Name, Soft: 1000, Hard: 1000 });
      const { body } = await call('POST', '/v1.41/containers/create', {
        body: {
          Image: TEST_IMAGE,
          Labels: { [LABEL.install]: place.slug, [LABEL.session]: 'trial', [LABEL.host]: 'one-that-looks' },
          HostConfig: { NetworkMode: 'none', Ulimits: [limit('nproc'), limit('nofile')] },
        },
      });
      const { Id } = z.object({ Id: z.string() }).parse(body);
      assert.equal(await driver.sweep(), 0);
      assert.notEqual((await call('DELETE', `/v1.41/containers/${Id}`)).status, 404);
    });

    test("nothing is told of this machine's network and of the names in it", async () => {
      const { output } = await run(driver, place.spec('names', 'cat /etc/hosts /etc/resolv.conf'));
      assert.equal(output, '127.0.0.1 localhost sandbox\n::1 localhost\n');
    });
  });
}
