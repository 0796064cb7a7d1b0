/** Whether a runtime starts sandboxes on this machine: found out by starting one of its own, beside whatever runs. */
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { EngineTrouble } from '../../drivers/docker/symptoms.ts';
import { createDriver } from '../../drivers/index.ts';
import type { DriverName } from '../../drivers/names.ts';
import { installSlug } from '../../src/install-slug.ts';
import { pathsFor } from '../../src/paths.ts';
import type { DriverDeclaration } from '../../src/sandbox/driver.ts';
import { asNanoError } from '../../src/system-error.ts';
import type { Settings } from './choice.ts';
import { type EngineLook, lookAtEngine } from './engine.ts';

export interface RuntimeLook extends DriverDeclaration {
  driver: DriverName;
  /** Undefined: there is none, or none that answers. */
  engine?: EngineLook;
}

export async function lookAtRuntime(home: string, name: DriverName, settings: Settings): Promise<RuntimeLook> {
  let engine: EngineLook | undefined;
  try {
    // What it needs first, as the sentence about that is the plainer one.
    if (name !== 'bubblewrap') engine = await lookAtEngine(name, installSlug(home), settings);
    if (engine && !engine.hasImage) return { ...unusable(name, ...withoutImage(engine, name)), engine };
    return { ...whole(await declare(home, name, settings)), driver: name, ...(engine && { engine }) };
  } catch (error) {
    const { reason, remedy } =
      error instanceof EngineTrouble ? error.diagnosis : { reason: asNanoError(error).message, remedy: undefined };
    return { ...unusable(name, reason, remedy), ...(engine && { engine }) };
  }
}

async function declare(home: string, name: DriverName, settings: Settings): Promise<DriverDeclaration> {
  const { data } = pathsFor(home);
  // Or the driver would take a folder that is closed for a machine that is.
  if (existsSync(data)) accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK);
  const env = () => ({ ...settings, NANOCLAW_RUNTIME: name });
  const stateDir = join(data, 'sandbox');
  return createDriver({ slug: installSlug(home), stateDir, env, log: () => undefined }).declare();
}

/** Sandboxes that can't reach the model answer nobody. */
function whole(declaration: DriverDeclaration): DriverDeclaration {
  const cutOff = declaration.guarantees.find(({ name, held }) => name === 'transport' && !held);
  if (!declaration.usable || !cutOff) return declaration;
  return {
    ...declaration,
    usable: false,
    reason: `Sandboxes start in it, but what runs in them can't reach a model: ${cutOff.how}.`,
    ...(cutOff.remedy !== undefined && { remedy: cutOff.remedy }),
  };
}

function withoutImage({ title, image, imageIsTheirs }: EngineLook, name: DriverName): [string, string] {
  if (imageIsTheirs) {
    return [
      `${title} answers. The image ${image}, which NANOCLAW_IMAGE names, is not there.`,
      'Pull or build it, or take NANOCLAW_IMAGE away.',
    ];
  }
  return [`${title} answers. Its image ${image} is not made.`, `\`ncl runtime use ${name}\` builds it.`];
}

function unusable(driver: DriverName, reason: string, remedy: string | undefined) {
  return { driver, usable: false, reason, guarantees: [], ...(remedy !== undefined && { remedy }) };
}

/** `Docker 28.2.2 with runc, image …`; empty for one without an engine. */
export function engineText({ engine }: RuntimeLook): string {
  return engine ? `${engine.title} with ${engine.ociRuntime}, image ${engine.image}` : '';
}

/** What a person must not rely on. */
export function notGuaranteed({ guarantees }: DriverDeclaration): DriverDeclaration['guarantees'] {
  return guarantees.filter(({ held }) => !held);
}
