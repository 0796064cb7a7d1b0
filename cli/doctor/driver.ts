import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../../admin/view.ts';
import { installSlug } from '../../src/install-slug.ts';
import { pathsFor } from '../../src/paths.ts';
import type { DriverDeclaration } from '../../src/sandbox/driver.ts';
import { asNanoError } from '../../src/system-error.ts';

/** Asks the driver by starting a real sandbox, as the host would. */
export async function declareDriver(home: string): Promise<DriverDeclaration> {
  try {
    const { createBubblewrapDriver } = await import('../../drivers/bubblewrap/index.ts');
    const { data } = pathsFor(home);
    // Or the driver would take a folder that is closed for a machine that is.
    if (existsSync(data)) accessSync(data, constants.R_OK | constants.W_OK | constants.X_OK);
    const stateDir = join(data, 'sandbox');
    return await createBubblewrapDriver({ slug: installSlug(home), stateDir, log: () => undefined }).declare();
  } catch (error) {
    return { driver: 'bubblewrap', usable: false, reason: asNanoError(error).message, guarantees: [] };
  }
}

export function driverCheck({ driver, usable, reason, remedy }: DriverDeclaration): Check {
  const detail = usable ? `${driver} starts sandboxes here.` : (reason ?? `${driver} can start no sandbox here.`);
  return { name: 'sandbox', ok: usable, blocking: true, detail, ...(remedy && { remedy }) };
}
