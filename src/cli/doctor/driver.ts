import { join } from 'node:path';
import { errorText } from '../../errors.ts';
import { installSlug } from '../../install-slug.ts';
import { pathsFor } from '../../paths.ts';
import type { DriverDeclaration } from '../../sandbox/driver.ts';
import type { Check } from '../host-view.ts';

/** Asks the driver by starting a real sandbox, as the host would. */
export async function declareDriver(home: string): Promise<DriverDeclaration> {
  try {
    const { createBubblewrapDriver } = await import('../../sandbox/bubblewrap/index.ts');
    const stateDir = join(pathsFor(home).data, 'sandbox');
    return await createBubblewrapDriver({ slug: installSlug(home), stateDir, log: () => undefined }).declare();
  } catch (error) {
    return { driver: 'bubblewrap', usable: false, reason: errorText(error), guarantees: [] };
  }
}

export function driverCheck({ driver, usable, reason, remedy }: DriverDeclaration): Check {
  const detail = usable ? `${driver} starts sandboxes here.` : (reason ?? `${driver} can start no sandbox here.`);
  return { name: 'sandbox', ok: usable, blocking: true, detail, ...(remedy && { remedy }) };
}
