import type { Check } from '../../admin/view.ts';
import { errorText, NanoError } from '../../src/errors.ts';
import { printable } from '../../src/log/printable.ts';
import type { DriverDeclaration } from '../../src/sandbox/driver.ts';
import { Checks, type Running } from '../answers.ts';
import type { ClientContext } from '../definition.ts';
import { findHost } from '../host-process.ts';
import { type Look, paint } from '../screen.ts';
import { localChecks } from './checks.ts';
import { checkDriver } from './driver.ts';
import { imageChecks } from './image.ts';
import { providerCheck } from './providers.ts';

/** Returns the exit status: 1 when something fails that an answer needs. */
export async function runDoctor(context: ClientContext): Promise<number> {
  const { root, home, screen, json } = context;
  const [local, { look: driver, checks: sandbox }, host] = await Promise.all([
    localChecks(root, home),
    checkDriver(home),
    hostChecks(context),
  ]);
  const { serviceCheck } = await import('../../setup/service/index.ts');
  const [provider, service] = await Promise.all([providerCheck(root, host.report), serviceCheck(context)]);
  const checks = [...local, ...sandbox, ...imageChecks(home, driver), provider, ...host.checks, service];
  if (json) screen.out(JSON.stringify({ checks, driver }));
  else screen.out([...checkLines(checks, screen), '', ...guarantees(driver, screen)].join('\n'));
  return checks.some((check) => check.blocking && !check.ok) ? 1 : 0;
}

/** No host is no failure: this command finds out why one doesn't start. One that doesn't answer is. */
async function hostChecks(context: ClientContext): Promise<{ report: Running | undefined; checks: Check[] }> {
  const check = { name: 'host', blocking: false };
  try {
    const report = await findHost(context);
    if (!report)
      return { report, checks: [{ ...check, ok: false, detail: 'It is not running.', remedy: 'Run `ncl start`.' }] };
    const own = Checks.parse((await context.ask('doctor-host')).data);
    return { report, checks: [{ ...check, ok: true, detail: `It runs as process ${report.pid}.` }, ...own] };
  } catch (error) {
    const remedy = error instanceof NanoError ? error.remedy : 'Run `ncl restart`.';
    return { report: undefined, checks: [{ ...check, ok: false, blocking: true, detail: errorText(error), remedy }] };
  }
}

function checkLines(checks: readonly Check[], look: Look): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks.map(({ name, ok, blocking, detail, remedy }) => {
    const failed = blocking ? paint(look, 'red', 'FAIL') : paint(look, 'yellow', 'note');
    const mark = ok ? paint(look, 'green', 'ok  ') : failed;
    const advice = !ok && remedy ? `\n${' '.repeat(width + 8)}→ ${printable(remedy)}` : '';
    return `${mark}  ${name.padEnd(width)}  ${printable(detail)}${advice}`;
  });
}

function guarantees({ driver, guarantees: list }: DriverDeclaration, look: Look): string[] {
  if (list.length === 0) return [`The ${driver} driver guarantees nothing on this machine.`];
  const rows = list.map(({ name, held, how, remedy }) => {
    const mark = held ? paint(look, 'green', 'yes') : paint(look, 'yellow', 'no ');
    const advice = !held && remedy ? `\n${' '.repeat(29)}→ ${printable(remedy)}` : '';
    return `  ${mark}  ${name.padEnd(20)}  ${printable(how)}${advice}`;
  });
  return [`What the ${driver} driver guarantees on this machine:`, ...rows];
}
