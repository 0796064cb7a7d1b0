/** The image of an install in a real engine: made, tried, put in the old one's place, or left alone. Builds of a second, without a network. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { NanoError } from '../../src/errors.ts';
import { engineSocket, skipOn, TEST_IMAGE } from '../../test/support/runtime.ts';
import { until } from '../../test/support/until.ts';
import { connect } from '../docker/engine.ts';
import { ensureImage, type ImageOptions, imageName } from './index.ts';
import { createImageKeeper } from './keeper.ts';
import { readImageStatus } from './status.ts';
import { createStore, LAYER_LABEL } from './store.ts';
import { type Checkout, makeCheckout } from './testing/checkout.ts';

for (const name of ['docker', 'podman'] as const) {
  const socket = engineSocket(name);

  describe(name, { skip: skipOn(name) }, () => {
    let checkout: Checkout;
    let store: ReturnType<typeof createStore>;
    const slug = `t${randomBytes(4).toString('hex')}`;
    const other = `${slug}x`;
    const image = imageName(slug);
    const logged: string[] = [];

    const options = (more: Partial<ImageOptions> = {}): ImageOptions => ({
      name,
      slug,
      stateDir: path.join(checkout.folder, 'data/sandbox'),
      env: {
        [name === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST']: `unix://${socket}`,
        INSTALL_CHROMIUM: 'false',
        NANOCLAW_BUILD_NETWORK: 'none',
      },
      log: (message) => logged.push(message),
      code: checkout.folder,
      ...more,
    });
    const status = () => readImageStatus(options().stateDir);
    const builds = () => logged.filter((line) => line === 'the image is being made').length;
    const log = () => readFileSync(path.join(checkout.folder, 'logs/image.log'), 'utf8');
    const good = (...more: string[]) => checkout.dockerfile('FROM scratch', `COPY ${checkout.root} /`, ...more);

    before(async () => {
      checkout = makeCheckout();
      store = createStore(await connect(socket ?? ''));
    });
    after(async () => {
      for (const each of [slug, other]) {
        await store.remove(imageName(each));
        for (const id of await store.nameless(each, Date.now())) await store.remove(id);
      }
      checkout[Symbol.dispose]();
    });

    test('there is none: it is made; a second look does nothing', async () => {
      good();
      const made = await ensureImage(options());
      assert.deepEqual(made, { ok: true, changed: true, sentence: `${image} is up to date.` }, log());
      assert.equal(await store.content(image), status()?.content);
      assert.equal(await store.content(image.replace('latest', 'next')), null, 'no second name is left');
      assert.deepEqual(await ensureImage(options()), { ok: true, changed: false, sentence: `${image} is up to date.` });
      assert.equal(builds(), 1);
      assert.deepEqual(
        readdirSync(path.join(checkout.folder, '.runtime')).filter(
          (each) => each.startsWith('image.') && each !== 'image.lock',
        ),
        [],
      );
    });

    test('what it is made of changes: another takes its place, and the former is removed; not what is of another install', async () => {
      const former = await store.content(image);
      good('ENV other=1');
      assert.ok((await ensureImage(options({ slug: other, stateDir: path.join(checkout.folder, 'data/other') }))).ok);
      await store.tag(TEST_IMAGE, imageName(other));
      assert.equal((await store.nameless(other, Date.now())).length, 1, 'the other install has one without a name');
      assert.deepEqual(await ensureImage(options()), { ok: true, changed: true, sentence: `${image} is up to date.` });
      assert.notEqual(await store.content(image), former);
      assert.deepEqual(await store.nameless(slug, Date.now()), []);
      assert.equal((await store.nameless(other, Date.now())).length, 1, 'which it still has');
    });

    const failures: readonly (readonly [string, () => void, RegExp])[] = [
      ['a Dockerfile that can not be read', () => checkout.dockerfile('FROM scratch', 'RUNN true'), /can not be read/i],
      ['a step that fails', () => good('RUN echo the-reason; exit 7'), /exit 7|code: 7|status 7/],
      [
        'one in which no sandbox starts',
        () => checkout.dockerfile('FROM scratch', 'COPY programs/ /'),
        /no sandbox runs in it/,
      ],
    ];
    for (const [what, spoil, reason] of failures) {
      test(`${what}: the old one serves, the log is kept, and it is not tried again by itself`, async () => {
        const former = await store.content(image);
        const count = builds();
        spoil();
        const failed = await ensureImage(options());
        assert.equal(failed.ok, false);
        assert.match(failed.sentence, reason);
        assert.match(failed.sentence, /could not be made: .*The one from before serves meanwhile\.$/s);
        assert.equal(status()?.state, 'failed');
        assert.equal(await store.content(image), former);
        assert.ok(log().length > 0);
        assert.equal((await ensureImage(options())).ok, false);
        assert.equal(builds(), count + 1, 'not by itself');
      });
    }

    test('it is tried again when somebody asks, and when it is mended', async () => {
      const count = builds();
      assert.equal((await ensureImage(options({ asked: true }))).ok, false);
      assert.equal(builds(), count + 1);
      good('ENV other=2');
      assert.ok((await ensureImage(options())).ok);
      assert.equal(status()?.state, 'ready');
    });

    // Whose engine it is makes no difference to that.
    test('two want it at once: it is made once, and both have it', { skip: name === 'podman' }, async () => {
      const count = builds();
      good('ENV other=at-once');
      // Set to nothing counts as not set.
      const env = { ...options().env, NANOCLAW_OCI_RUNTIME: '', NANOCLAW_RELAY: '' };
      const outcomes = await Promise.all([ensureImage(options({ env })), ensureImage(options({ env, asked: true }))]);
      assert.deepEqual(
        outcomes.map(({ ok }) => ok),
        [true, true],
        JSON.stringify(outcomes),
      );
      assert.equal(builds(), count + 1);
      assert.equal(status()?.state, 'ready');
    });

    test('certificates that are none are told, and the image stays', async () => {
      const bundle = path.join(checkout.folder, 'none.pem');
      writeFileSync(bundle, 'nothing\n');
      const { env } = options();
      const failed = await ensureImage(options({ env: { ...env, NANOCLAW_CA_BUNDLE: bundle } }));
      assert.match(failed.sentence, /There is no certificate in .*none\.pem/);
      assert.notEqual(await store.content(image), null);
    });

    const finishes = name === 'podman' && 'Podman finishes the step that it is at';
    test('a host that is killed takes its build along, and the next one makes it', { skip: finishes }, async () => {
      const secret = randomBytes(8).toString('hex');
      const muchLater = () => store.nameless(slug, Date.now() + 24 * 60 * 60_000);
      const others = await muchLater();
      // Stopped for good: there is nothing in it that could wait.
      const stops = `RUN echo ${secret}; /bin/sh -c 'kill -STOP $$'; true`;
      checkout.dockerfile('FROM scratch', `LABEL ${LAYER_LABEL}=${secret}`, `COPY ${checkout.root} /`, stops);
      const script = `const { ensureImage } = await import(${JSON.stringify(path.join(import.meta.dirname, 'index.ts'))});
        const { log, ...rest } = JSON.parse(process.argv[1]);
        await ensureImage({ ...rest, log() {} });`;
      const host = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(options())], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      await until(() => new RegExp(`^${secret}`, 'm').test(tryLog()));
      assert.equal(status()?.state, 'building');
      host.kill('SIGKILL');
      await once(host, 'exit');
      await until(() => running(checkout.folder).length === 0);
      await until(() => spawnSync('pgrep', ['-f', secret]).status === 1);
      assert.equal(status(), undefined, 'what was cut short is not said to go on');
      // Its layers are found once no build can be at them any more.
      const layers = (await muchLater()).filter((id) => !others.includes(id));
      assert.equal(layers.length, 1);
      assert.deepEqual(await store.nameless(slug, Date.now()), []);
      for (const id of layers) assert.ok(await store.remove(id));
      good('ENV other=3');
      assert.ok((await ensureImage(options())).ok);
    });

    test('a start that finds none has it made: first that is said, then it is there', async () => {
      await store.remove(image);
      const keeper = createImageKeeper(() => options());
      const missing = new NanoError('NC_SANDBOX_IMAGE');
      const said = keeper.explain(missing);
      assert.ok(said instanceof NanoError && said.code === 'NC_SANDBOX_IMAGE');
      assert.match(said.message, /is being made/);
      await until(async () => (await store.content(image)) !== null);
      assert.equal(keeper.explain('something else'), 'something else');
      const theirs = createImageKeeper(() => undefined).explain(missing);
      assert.ok(
        theirs instanceof NanoError && theirs.code === 'NC_SANDBOX_START',
        'one of the owner is not waited for',
      );
    });

    test('a start that finds none, and it can not be made: that is said as what has to be mended', async () => {
      await until(() => status()?.state === 'ready');
      await store.remove(image);
      good('RUN echo the-reason; exit 7');
      const keeper = createImageKeeper(() => options());
      const explain = () => keeper.explain(new NanoError('NC_SANDBOX_IMAGE'));
      const codes = () => {
        const said = explain();
        return said instanceof NanoError ? [said.code, said.message] : [];
      };
      assert.equal(codes()[0], 'NC_SANDBOX_IMAGE');
      await until(() => codes()[0] === 'NC_SANDBOX_UNUSABLE');
      assert.match(codes()[1] ?? '', /could not be made.*7/s);
      // It looks once more each time, since what it is made of may have changed. A build, asked for after that, takes longer.
      assert.equal((await ensureImage(options({ asked: true }))).ok, false);
    });

    function tryLog(): string {
      try {
        return log();
      } catch {
        return '';
      }
    }
  });
}

/** Processes with that folder in their command line. */
function running(folder: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
      } catch {
        return false;
      }
    });
}
