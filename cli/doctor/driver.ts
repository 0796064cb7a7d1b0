import type { Check } from '../../admin/view.ts';
import type { DriverDeclaration } from '../../src/sandbox/driver.ts';
import { idleSetting, readChoice, type Settings } from '../runtime/choice.ts';
import { engineText, lookAtRuntime, notGuaranteed, type RuntimeLook } from '../runtime/look.ts';
import { readSettings } from '../runtime/settings.ts';
import { switchChecks } from './image.ts';

const REMEDY = 'Run `ncl runtime`: it shows what works here, and `ncl runtime use <name>` chooses it.';

interface Looked {
  look: DriverDeclaration & Pick<RuntimeLook, 'engine'>;
  checks: Check[];
}

/** Asks the chosen driver by starting a sandbox of its own, as the host would; what runs is left alone. */
export async function checkDriver(home: string): Promise<Looked> {
  const { file, environment, all } = settingsOf(home);
  const { name, written, problem } = readChoice(file, environment, process.platform);
  if (name === undefined) {
    const look = { driver: written, usable: false, guarantees: [] };
    return { look, checks: [{ name: 'sandbox', ok: false, blocking: true, detail: problem ?? '', remedy: REMEDY }] };
  }
  const look = await lookAtRuntime(home, name, all);
  const idle = idleSetting(name, all);
  const switches = name === 'bubblewrap' ? [] : switchChecks(all);
  return { look, checks: [driverCheck(look), ...(idle === undefined ? [] : [idleCheck(name, idle)]), ...switches] };
}

/** A check of its own says that `.env` can't be read; a host that runs has what it read before. */
function settingsOf(home: string): { file: Settings; environment: Settings; all: Settings } {
  try {
    return readSettings(home);
  } catch {
    return { file: {}, environment: process.env, all: process.env };
  }
}

function driverCheck(look: RuntimeLook): Check {
  const { driver, usable, reason, remedy } = look;
  const engine = engineText(look);
  const missing = notGuaranteed(look).map(({ name }) => name);
  const detail = [
    usable
      ? `${driver} starts sandboxes here${engine && `: ${engine}`}.`
      : `${driver}: ${reason ?? 'no sandbox starts.'}`,
    ...(usable && missing.length > 0 ? [`Not guaranteed: ${missing.join(', ')}; see below.`] : []),
  ];
  return { name: 'sandbox', ok: usable, blocking: true, detail: detail.join(' '), ...(remedy && { remedy }) };
}

function idleCheck(name: string, setting: string): Check {
  const detail = `${setting} is set, and ${name} has no use for it.`;
  return { name: 'runtime', ok: false, blocking: false, detail, remedy: 'Take it out of `.env`, or choose an engine.' };
}
