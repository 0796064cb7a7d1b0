/** The container engine that a runtime would use: which one answers, and whether the image is there. */
import { z } from 'zod';
import { type Engine, findEngine } from '../../drivers/docker/engine.ts';
import { engineSockets } from '../../drivers/docker/sockets.ts';
import { imageName } from '../../drivers/image/index.ts';
import type { DriverName } from '../../drivers/names.ts';
import type { Settings } from './choice.ts';

export type EngineName = Exclude<DriverName, 'bubblewrap'>;

export interface EngineLook {
  /** The driver's. */
  name: EngineName;
  /** `Docker 28.2.2, rootless`. */
  title: string;
  /** What the engine runs containers with: runc, crun, runsc. */
  ociRuntime: string;
  image: string;
  hasImage: boolean;
  /** The owner named another image than the one that is built here. */
  imageIsTheirs: boolean;
}

const ANSWER_MS = 10_000;
const Info = z.object({ DefaultRuntime: z.string().optional() });

/** Rejects with EngineTrouble, which says what to do. */
export async function lookAtEngine(name: EngineName, slug: string, settings: Settings): Promise<EngineLook> {
  const surroundings = { engine: name, env: settings, uid: process.getuid?.() ?? 0, platform: process.platform };
  const engine = await findEngine(engineSockets(surroundings));
  const { NANOCLAW_IMAGE: theirs, NANOCLAW_OCI_RUNTIME: chosen } = settings;
  const image = theirs || imageName(slug);
  return {
    name,
    title: `${engine.name} ${engine.version}${engine.rootless ? ', rootless' : ''}`,
    ociRuntime: chosen || (await defaultRuntime(engine)),
    image,
    hasImage: await hasImage(engine, image),
    imageIsTheirs: Boolean(theirs),
  };
}

async function hasImage({ http, prefix }: Engine, image: string): Promise<boolean> {
  const name = image.split('/').map(encodeURIComponent).join('/');
  const { status } = await http.call('GET', `${prefix}/images/${name}/json`, { timeoutMs: ANSWER_MS });
  return status === 200;
}

async function defaultRuntime({ http, prefix, runtimes }: Engine): Promise<string> {
  const { body } = await http.call('GET', `${prefix}/info`, { timeoutMs: ANSWER_MS });
  return Info.safeParse(body).data?.DefaultRuntime ?? runtimes[0] ?? 'its own';
}
