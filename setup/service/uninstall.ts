import { rmSync } from 'node:fs';
import type { ClientContext } from '../../cli/definition.ts';
import { stopRunningHost } from '../../cli/stop-host.ts';
import { NanoError } from '../../src/errors.ts';
import { findManager, refuseForeign, whose } from './choose.ts';
import { planFor } from './plan.ts';
import { forgetStarts, serviceFolder } from './starts.ts';
import { removeIfEmpty } from './supervisor.ts';

/** Stops the host, and removes all that was installed. Throws NC_SERVICE_FILE for a file that was edited, unless `force`. */
export async function uninstall(context: ClientContext, force: boolean): Promise<number> {
  const { root, home, screen, json } = context;
  const plan = planFor(root, home);
  const service = findManager(plan);
  if (!service) {
    refuseForeign(plan);
    screen.out(json ? JSON.stringify({ uninstalled: false }) : 'No service is installed.');
    return 0;
  }
  const { file } = service;
  if (whose(service, plan) === 'edited' && !force)
    throw new NanoError('NC_SERVICE_FILE', `${file} was edited by hand, and stays as it is.`);
  const stopped = await stopRunningHost(context, force);
  const notes = await service.disable();
  rmSync(file, { force: true });
  await service.forget();
  forgetStarts(home);
  removeIfEmpty(serviceFolder(home));
  if (stopped !== 'none') notes.push('The host is stopped: `ncl start` runs it without a service.');
  if (json) screen.out(JSON.stringify({ uninstalled: true, file, notes }));
  else screen.out([`${plan.name} is uninstalled (${file}).`, ...notes].join('\n'));
  return 0;
}
