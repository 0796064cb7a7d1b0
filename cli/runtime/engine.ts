/** The container engine that a runtime would use: which one answers, and whether the image is there. */
import { z } from 'zod';
import { type Engine, findEngine } from '../../drivers/docker/engine.ts';
import { refuseRuntime } from '../../drivers/docker/oci-runtime.ts';
import { engineSockets } from '../../drivers/docker/sockets.ts';
import { EngineTrouble } from '../../drivers/docker/symptoms.ts';
import { imageName } from '../../drivers/image/index.ts';
import { CONTENT_LABEL } from '../../drivers/image/store.ts';
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
  /** Of what the image was made; '' when it doesn't say, null when there is none. */
  content: string | null;
  /** The owner named another image than the one that is built here. */
  imageIsTheirs: boolean;
}

const ANSWER_MS = 10_000;
const Labelled = z.object({ Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish() });

/** Rejects with EngineTrouble, which says what to do. */
export async function lookAtEngine(name: EngineName, slug: string, settings: Settings): Promise<EngineLook> {
  const surroundings = { engine: name, env: settings, uid: process.getuid?.() ?? 0, platform: process.platform };
  const engine = await findEngine(engineSockets(surroundings));
  const { NANOCLAW_IMAGE: theirs, NANOCLAW_OCI_RUNTIME: chosen } = settings;
  const unknown = refuseRuntime(engine, chosen || undefined);
  if (unknown) throw new EngineTrouble(unknown);
  const image = theirs || imageName(slug);
  const content = await contentOf(engine, image);
  return {
    name,
    title: `${engine.name} ${engine.version}${engine.rootless ? ', rootless' : ''}`,
    ociRuntime: chosen || engine.defaultRuntime || 'its own',
    image,
    hasImage: content !== null,
    content,
    imageIsTheirs: Boolean(theirs),
  };
}

async function contentOf({ http, prefix }: Engine, image: string): Promise<string | null> {
  const name = image.split('/').map(encodeURIComponent).join('/');
  const { status, body } = await http.call('GET', `${prefix}/images/${name}/json`, { timeoutMs: ANSWER_MS });
  return status === 200 ? (Labelled.safeParse(body).data?.Config?.Labels?.[CONTENT_LABEL] ?? '') : null;
}
