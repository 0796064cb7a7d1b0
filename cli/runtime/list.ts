/** `ncl runtime`: what sandboxes could be started with on this machine, and what they are. */
import { DRIVER_NAMES } from '../../drivers/names.ts';
import { printable } from '../../src/log/printable.ts';
import type { ClientContext } from '../definition.ts';
import { type Look, paint } from '../screen.ts';
import { type Choice, readChoice } from './choice.ts';
import { runningDriver } from './host.ts';
import { engineText, lookAtRuntime, notGuaranteed, type RuntimeLook } from './look.ts';
import { readSettings } from './settings.ts';

/** Exit status 1 when the one that is set starts no sandbox. */
export async function listRuntimes(context: ClientContext): Promise<number> {
  const { home, screen, json } = context;
  const { file, environment, all } = readSettings(home);
  const choice = readChoice(file, environment, process.platform);
  const [looks, host] = await Promise.all([
    Promise.all(DRIVER_NAMES.map((name) => lookAtRuntime(home, name, all))),
    runningDriver(context),
  ]);
  const inUse = looks.find(({ driver }) => driver === choice.name);
  if (json) {
    const runtimes = looks.map((look) => ({ ...look, inUse: look === inUse }));
    screen.out(JSON.stringify({ runtimes, chosen: choice.name ?? null, ...choice, host: host?.driver ?? null }));
  } else {
    const lines = [
      ...looks.map((look) => row(look, look === inUse, looks.some(isNotYet) ? 7 : 3, screen)),
      '',
      chosenText(choice),
    ];
    if (host && choice.name && host.driver !== choice.name) {
      lines.push(
        `The host that runs has ${printable(host.driver)}: its environment is another one, or it is from before.`,
      );
    }
    screen.out(lines.join('\n'));
  }
  return inUse?.usable ? 0 : 1;
}

/** What it takes is a build, which `ncl runtime use` begins. */
const isNotYet = ({ engine }: RuntimeLook): boolean =>
  engine !== undefined && !engine.hasImage && !engine.imageIsTheirs;

const WIDTH = Math.max(...DRIVER_NAMES.map((name) => name.length));

function row(look: RuntimeLook, inUse: boolean, marks: number, screen: Look): string {
  const word = (look.usable ? 'yes' : isNotYet(look) ? 'not yet' : 'no').padEnd(marks);
  const mark = paint(screen, look.usable ? 'green' : 'yellow', word);
  const said = look.usable ? usableText(look) : (look.reason ?? 'It starts no sandbox here.');
  const advice = !look.usable && look.remedy ? `\n${' '.repeat(WIDTH + marks + 6)}→ ${printable(look.remedy)}` : '';
  return `${inUse ? '*' : ' '} ${mark}  ${look.driver.padEnd(WIDTH)}  ${printable(said)}${advice}`;
}

function usableText(look: RuntimeLook): string {
  const missing = notGuaranteed(look).map(({ name }) => name);
  const engine = engineText(look);
  const held = missing.length === 0 ? '' : ` Not guaranteed: ${missing.join(', ')}.`;
  return `Starts sandboxes here${engine && `: ${engine}`}.${held}`;
}

const SINCE = {
  '.env': 'by NANOCLAW_RUNTIME in .env',
  environment: 'by NANOCLAW_RUNTIME in the environment',
  default: 'since NANOCLAW_RUNTIME is not set',
} as const;

function chosenText({ name, since, problem }: Choice): string {
  if (name) return `In use: ${name}, ${SINCE[since]}. Another: ncl runtime use <name>`;
  return `None is in use, ${SINCE[since]}: ${printable(problem ?? '')} Choose one: ncl runtime use <name>`;
}
