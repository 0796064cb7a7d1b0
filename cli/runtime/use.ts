/** `ncl runtime use`: tries it, builds its image where that is missing, and writes it down for the host to read. */
import { DRIVER_NAMES, type DriverName, isDriverName } from '../../drivers/names.ts';
import { changeEnvFile } from '../../setup/install/env-file.ts';
import { NanoError } from '../../src/errors.ts';
import { printable } from '../../src/log/printable.ts';
import { pathsFor } from '../../src/paths.ts';
import type { ClientContext } from '../definition.ts';
import { linesFor, type Outvoted, outvoted, readChoice } from './choice.ts';
import { type HostRuntime, takenUp } from './host.ts';
import { IMAGE_LOG, makeImage } from './image.ts';
import { engineText, lookAtRuntime, notGuaranteed, type RuntimeLook } from './look.ts';
import { showProgress } from './progress.ts';
import { readSettings } from './settings.ts';

export async function useRuntime(name: string, force: boolean, context: ClientContext): Promise<number> {
  if (!isDriverName(name)) {
    throw new NanoError(
      'NC_USAGE',
      `There is no runtime ${JSON.stringify(name)}; there are ${DRIVER_NAMES.join(', ')}.`,
    );
  }
  const { home } = context;
  const known = readSettings(home);
  const lost = outvoted(name, known.file, known.environment);
  if (!context.json) for (const one of lost) context.screen.err(printable(outvotedText(one)));
  const found = await lookAtRuntime(home, name, known.all);
  const needsImage = found.engine && !found.engine.hasImage && !found.engine.imageIsTheirs;
  const look = needsImage ? await withImage(found, context) : found;
  if (!look.usable && !force) return refuse(look, context);
  // Read again: a build takes minutes.
  const { file, environment } = readSettings(home);
  const before = readChoice(file, environment, process.platform);
  const lines = linesFor(name, file, environment);
  const changed = changeEnvFile(pathsFor(home).env, lines, { keepMode: true });
  const host = await takenUp(context, name);
  tell(
    { name, look, changed: changed && before.name !== name, written: changed ? lines : {}, outvoted: lost, host },
    context,
  );
  return 0;
}

const EVERY_MS = 10_000;

async function withImage(found: RuntimeLook, context: ClientContext): Promise<RuntimeLook> {
  const { home, screen, json } = context;
  const { driver, engine } = found;
  if (!engine) return found;
  if (!json) {
    screen.err(`${engine.title} answers. Its image ${engine.image} is made first, which takes minutes.`);
    screen.err(`What the build says is in ${IMAGE_LOG}. What runs now goes on.`);
  }
  const say = (line: string) => (json ? undefined : screen.err(printable(line)));
  const progress = showProgress(say, process.stderr.isTTY ? undefined : EVERY_MS);
  const why = await makeImage(home, engine.name, readSettings(home).all, progress.show);
  progress.end();
  if (why === undefined) return lookAtRuntime(home, driver, readSettings(home).all);
  return { ...found, reason: `Its image was not made: ${why}`, remedy: `All of it is in ${IMAGE_LOG}.` };
}

function outvotedText({ setting, used, unused }: Outvoted): string {
  return `${setting} is ${used}, as .env has it, which wins; this shell's ${unused} is not used. To use that, change it in .env.`;
}

function refuse({ driver, reason, remedy }: RuntimeLook, { screen, json }: ClientContext): number {
  const message = `${driver} can't start sandboxes here. ${reason ?? ''}`.trim();
  const advice = `${remedy ?? '`ncl runtime` says more.'} Nothing was changed; --force chooses it all the same.`;
  if (json) screen.out(JSON.stringify({ error: { code: 'NC_SANDBOX_UNUSABLE', message, remedy: advice } }));
  else screen.err(printable(`${message} ${advice}`));
  return 1;
}

interface Told {
  name: DriverName;
  look: RuntimeLook;
  changed: boolean;
  written: Readonly<Record<string, string>>;
  outvoted: readonly Outvoted[];
  host: HostRuntime | undefined;
}

function tell({ name, look, changed, written, outvoted: lost, host }: Told, { screen, json }: ClientContext): void {
  const { usable, reason, remedy, engine } = look;
  if (json) {
    const said = {
      runtime: name,
      changed,
      written: Object.keys(written),
      usable,
      engine,
      reason,
      remedy,
      outvoted: lost,
    };
    screen.out(JSON.stringify({ ...said, notGuaranteed: notGuaranteed(look), host: host ?? null }));
    return;
  }
  const made = engineText(look);
  const along = Object.keys(written).filter((setting) => setting !== 'NANOCLAW_RUNTIME');
  const lines = [
    changed
      ? `Sandboxes start in ${name} from now on${made && `: ${made}`}.`
      : `It is ${name} already${made && `: ${made}`}.`,
    ...(along.length > 0 ? [`Written to .env as well, from this shell's environment: ${along.join(', ')}.`] : []),
    ...(usable ? [] : [`But none can be started now: ${reason ?? 'it does not say why.'} ${remedy ?? ''}`.trim()]),
    ...notGuaranteed(look).map(
      ({ name: what, how, remedy: mend }) => `Not guaranteed: ${what}: ${how}.${mend ? ` → ${mend}` : ''}`,
    ),
    ...hostText(name, host, changed || along.length > 0),
  ];
  screen.out(printable(lines.join('\n')));
}

/** `moves`: what is started from now on is started otherwise than before. */
function hostText(name: DriverName, host: HostRuntime | undefined, moves: boolean): string[] {
  if (!host) return [];
  if (host.driver !== name) return [`The host that runs still has ${host.driver}: \`ncl restart\`.`];
  const { running } = host.sessions;
  if (running === 0 || !moves) return [];
  const one = running === 1;
  return [
    `${running} ${one ? 'sandbox runs on where it is, and moves at its' : 'sandboxes run on where they are, and move at their'} next start; \`ncl groups restart <agent>\` ends an agent's at once.`,
  ];
}
