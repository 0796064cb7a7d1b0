import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linesFor, type Settings } from '../../cli/runtime/choice.ts';
import { IMAGE_LOG, makeImage } from '../../cli/runtime/image.ts';
import { engineText, lookAtRuntime, type RuntimeLook } from '../../cli/runtime/look.ts';
import { DRIVER_NAMES, type DriverName, defaultDriver, isDriverName } from '../../drivers/names.ts';
import { printable } from '../../src/log/printable.ts';
import { pathsFor } from '../../src/paths.ts';
import { type Engines, findEngines, lacksImage } from './engines.ts';
import { changeEnvFile } from './env-file.ts';
import { StepFailure } from './failure.ts';
import { leftTo } from './interrupt.ts';
import type { Options } from './options.ts';
import { type Steps, say } from './steps.ts';

interface Chosen {
  name: DriverName;
  why: string;
}

/**
 * What sandboxes are started with: what was asked for; else, on a first setup, an engine that answers, else bubblewrap.
 * Resolves with whether `.env` was changed.
 */
export async function settleRuntime(
  steps: Steps,
  root: string,
  options: Options,
  kept: Settings,
  isNew: boolean,
): Promise<boolean> {
  // A new install may come with settings of an earlier one.
  const set = isNew ? kept.NANOCLAW_RUNTIME || process.env.NANOCLAW_RUNTIME : undefined;
  const asked = options.runtime || set;
  if (!asked && !isNew) return false;
  const settings = { ...process.env, ...kept };
  const found = asked ? undefined : await look(root, settings, options);
  // A build is a step of its own: it takes minutes.
  const built = await image(steps, root, settings, asked, found);
  const changed = await steps.run('runtime', async () => {
    const { name, why } = asked
      ? await askedFor(root, asked, settings, built)
      : await first(root, settings, found, built);
    const changed = changeEnvFile(pathsFor(root).env, linesFor(name, kept, process.env));
    return { detail: printable(`${name}: ${why}`), value: changed };
  });
  if (found && !found.fitting) sayWhyNot(found.silent);
  return changed;
}

/** What is installed on this machine; where that is nothing, somebody who is there may want an engine. */
async function look(root: string, settings: Settings, options: Options): Promise<Engines> {
  const found = await findEngines(root, settings);
  if (found.fitting || found.silent.length > 0 || options.yes) return found;
  return (await offerEngine(root)) ? findEngines(root, settings) : found;
}

async function offerEngine(root: string): Promise<boolean> {
  const { askEngine } = await import('./questions.ts');
  const { commandsForEngine } = await import('./engine-command.ts');
  const commands = await commandsForEngine(root);
  if (commands.length === 0 || !(await askEngine(commands))) return false;
  // It may ask for a password, and shows what it does; stdout is for the agent's reply alone.
  const child = spawn('bash', ['setup/install-engine.sh'], { cwd: root, stdio: ['inherit', 2, 2] });
  const [status] = await leftTo(once(child, 'close'));
  if (status !== 0) say('    It was not installed: this goes on without an engine.');
  return true;
}

/** Why an image that was needed wasn't made; undefined: none was needed, or it is there now. */
async function image(
  steps: Steps,
  root: string,
  settings: Settings,
  asked: string | undefined,
  found: Engines | undefined,
): Promise<string | undefined> {
  const wanted =
    asked && isDriverName(asked) && asked !== 'bubblewrap'
      ? await lookAtRuntime(root, asked, settings)
      : found?.fitting;
  if (!wanted?.engine || !lacksImage(wanted)) return undefined;
  const { engine } = wanted;
  let latest = '';
  return steps.run(
    'image',
    async (log) => {
      const why = await makeImage(root, engine.name, settings, (step) => {
        latest = step;
        log.write(step);
      });
      const failed = why && `not made: ${why} All of it is in ${IMAGE_LOG}`;
      return {
        detail: printable(failed ?? `${engine.image}, in ${engine.title}`),
        value: why,
        without: why !== undefined,
      };
    },
    () => latest,
  );
}

async function askedFor(root: string, name: string, settings: Settings, built: string | undefined): Promise<Chosen> {
  if (!isDriverName(name)) {
    throw new StepFailure(`There is no runtime ${JSON.stringify(name)}.`, `There are: ${DRIVER_NAMES.join(', ')}.`);
  }
  if (built) throw new StepFailure(`Its image was not made: ${built}`, `All of it is in ${IMAGE_LOG}. ${HINT}`);
  const found = await lookAtRuntime(root, name, settings);
  if (!found.usable) throw new StepFailure(found.reason ?? `${name} starts no sandbox here.`, found.remedy ?? HINT);
  return { name, why: `${engineText(found) || 'it starts sandboxes here'}; as asked for` };
}

/** Where no engine can be used, bubblewrap is tried by the step that tries the sandbox. */
async function first(
  root: string,
  settings: Settings,
  found: Engines | undefined,
  built: string | undefined,
): Promise<Chosen> {
  const fitting = found?.fitting;
  const isTried = built !== undefined || fitting?.usable;
  const tried = fitting && !isTried ? await lookAtRuntime(root, fitting.driver, settings) : fitting;
  if (tried?.usable && fitting)
    return { name: fitting.driver, why: `${engineText(tried)}; it answers, and can be used` };
  const reason = built ? `the image for ${fitting?.driver} was not made` : tried?.reason;
  if (defaultDriver(process.platform) !== 'bubblewrap') {
    throw new StepFailure(
      `On this system sandboxes need a container engine: ${reason ?? 'none answers'}.`,
      tried?.remedy ?? 'Start Docker Desktop, or another engine with its API, and run this again.',
    );
  }
  const none = found?.silent.length ? 'no container engine can be used' : 'there is no container engine';
  const later = fitting ? `; later: bin/ncl runtime use ${fitting.driver}` : '';
  return { name: 'bubblewrap', why: `${reason?.replace(/\.$/, '') ?? none}${later}` };
}

const HINT = '`bin/ncl runtime` shows what works here.';

/** Advice that is the same for more than one is said once. */
function sayWhyNot(silent: readonly RuntimeLook[]): void {
  for (const [index, { driver, reason, remedy }] of silent.entries()) {
    say(printable(`    ${driver}: ${reason ?? 'It can not be used.'}`));
    const isSaid = silent.slice(0, index).some((earlier) => earlier.remedy === remedy);
    if (remedy && !isSaid) say(printable(`      → ${remedy} Then: bin/ncl runtime use ${driver}`));
  }
}
