/** Keeps the image of an install as its checkout wants it: made beside the host, tried, and only then put in the old one's place. */
import path from 'node:path';
import { errorText, NanoError } from '../../src/errors.ts';
import { type Engine, findEngine } from '../docker/engine.ts';
import { createDockerDriver } from '../docker/index.ts';
import { engineSockets } from '../docker/sockets.ts';
import { EngineTrouble } from '../docker/symptoms.ts';
import { decide, pauseAfter } from './decide.ts';
import { runScript } from './script.ts';
import { describeImage, type ImageStatus, readImageStatus, writeImageStatus } from './status.ts';
import { createStore } from './store.ts';
import { ownTurn } from './turn.ts';
import { type BuildFailure, whyNot } from './why.ts';

type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface ImageOptions {
  name: 'docker' | 'podman';
  slug: string;
  /** The install's `data/sandbox`. */
  stateDir: string;
  /** Settings as they are now. */
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  /** For what goes as it should; `log` unless given. */
  info?: Log | undefined;
  /** The checkout; this one unless a test has another. */
  code?: string;
  /** Whatever happened before; by a person. */
  asked?: boolean;
}

/** `changed`: another image serves from now on. `retryMs`: when to ask again. */
export type ImageOutcome =
  | { ok: true; changed: boolean; sentence: string }
  | { ok: false; sentence: string; retryMs: number | undefined };

export const imageName = (slug: string): string => `nanoclaw-agent-v2-${slug}:latest`;

const CODE = path.join(import.meta.dirname, '..', '..');
const ENGINE_AWAY_MS = 60_000;

/** Makes it if it isn't what the checkout wants. Never rejects; where another process is at it, it waits for that first. */
export async function ensureImage(options: ImageOptions): Promise<ImageOutcome> {
  try {
    // Before the turn: an engine that is away has nobody wait.
    const engine = await engineOf(options);
    const end = await ownTurn(options.stateDir);
    try {
      return await ensure(options, engine);
    } finally {
      end();
    }
  } catch (error) {
    // An engine that doesn't answer says nothing of the image.
    const retryMs = error instanceof NanoError && error.code === 'NC_SANDBOX_ENGINE' ? ENGINE_AWAY_MS : undefined;
    return { ok: false, sentence: errorText(error), retryMs };
  }
}

function engineOf({ name, env }: ImageOptions): Promise<Engine> {
  const surroundings = { engine: name, env, uid: process.getuid?.() ?? 0, platform: process.platform };
  return findEngine(engineSockets(surroundings));
}

async function ensure(
  { name, slug, stateDir, env, log, info = log, code = CODE, asked = false }: ImageOptions,
  engine: Engine,
): Promise<ImageOutcome> {
  const store = createStore(engine);
  const image = imageName(slug);
  const next = image.replace(/:latest$/, ':next');
  const script = { code, env };

  const hash = await runScript(script, ['--wanted', '--slug', slug]);
  const wanted = hash.output.trim();
  const there = await store.content(image);
  const noted = readImageStatus(stateDir);
  // What the other engine failed at is no reason here.
  const last = noted?.engine === undefined || noted.engine === name ? noted : undefined;
  const serves = there !== null;
  const base = { image, engine: name, content: wanted, pid: process.pid, serves };
  const note = (status: Pick<ImageStatus, 'state'> & Partial<ImageStatus>): ImageStatus => {
    const now = { ...base, at: new Date().toISOString(), tries: 0, ...status };
    writeImageStatus(stateDir, now);
    return now;
  };
  const failed = ({ kind, reason }: BuildFailure): ImageOutcome => {
    const before = last?.state === 'failed' && last.content === wanted ? last.tries : 0;
    const retryMs = kind === 'network' ? pauseAfter(before) : undefined;
    const retryAt = retryMs === undefined ? {} : { retryAt: new Date(Date.now() + retryMs).toISOString() };
    const status = note({ state: 'failed', reason, tries: before + 1, ...retryAt });
    log('the image could not be made', { image, reason, retryMs });
    return { ok: false, sentence: describeImage(status).detail, retryMs };
  };
  if (hash.code !== 0) return failed(whyNot(hash.lines));

  const decision = decide({ there, wanted, last, now: Date.now(), asked });
  if (!decision.make) {
    if (decision.because === 'current') {
      const status = last?.state === 'ready' && last.content === wanted ? last : note({ state: 'ready' });
      await removeFormer();
      return { ok: true, changed: false, sentence: describeImage(status).detail };
    }
    const sentence = last ? describeImage(last).detail : '';
    return { ok: false, sentence, retryMs: decision.because === 'wait' ? decision.ms : undefined };
  }

  note({ state: 'building' });
  info('the image is being made', { image, serves });
  const { socket } = engine.http;
  const built = await runScript(
    script,
    [
      ...['--engine', engine.name.toLowerCase(), '--socket', socket, '--tag', next, '--slug', slug],
      ...['--log', path.join(stateDir, '../../logs/image.log')],
      ...(env.NANOCLAW_BUILD_NETWORK ? ['--network', env.NANOCLAW_BUILD_NETWORK] : []),
    ],
    (line) => {
      if (line.startsWith('step ')) note({ state: 'building', step: line });
    },
  );
  if (built.code !== 0) return failed(whyNot(built.lines));
  const refused = await tryOut();
  if (refused !== undefined) {
    await store.remove(next);
    return failed({ kind: 'other', reason: `It was made, and no sandbox runs in it: ${refused}` });
  }
  await store.tag(next, image);
  await store.remove(next);
  const status = note({ state: 'ready', serves: true });
  info('the image is ready', { image });
  await removeFormer();
  return { ok: true, changed: true, sentence: describeImage(status).detail };

  /** Why it doesn't serve. */
  async function tryOut(): Promise<string | undefined> {
    const trial = createDockerDriver({
      name,
      // Not this install's: whoever sweeps there must not end it.
      slug: `${slug}-trial`,
      stateDir: path.join(stateDir, 'image-trial'),
      socket,
      image: next,
      env,
      // Set to nothing counts as not set.
      runtime: env.NANOCLAW_OCI_RUNTIME || undefined,
      log,
    });
    await trial.sweep();
    const { usable, reason } = await trial.declare();
    return usable ? undefined : (reason ?? 'its trial failed.');
  }

  /** What sandboxes still run in stays until a later look. */
  async function removeFormer(): Promise<void> {
    try {
      const gone = [];
      for (const id of await store.nameless(slug, Date.now())) if (await store.remove(id)) gone.push(id);
      if (gone.length > 0) info('removed former images', { images: gone.length });
    } catch (error) {
      if (!(error instanceof EngineTrouble)) throw error;
      log('former images could not be removed', { error });
    }
  }
}
