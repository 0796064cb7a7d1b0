import { z } from 'zod';
import { errorText, NanoError } from '../../errors.ts';
import { printable } from '../../log/index.ts';
import type { DriverDeclaration } from '../../sandbox/driver.ts';
import { type ClientCommand, type ClientContext, hostCommand } from '../definition.ts';
import { localChecks } from '../doctor/checks.ts';
import { declareDriver, driverCheck } from '../doctor/driver.ts';
import { providerCheck } from '../doctor/providers.ts';
import { findHost } from '../host-process.ts';
import { Check, type StatusReport } from '../host-view.ts';
import { paint, type Screen } from '../screen.ts';

const Checks = z.array(Check);

export const doctorHost = hostCommand({
  name: 'doctor-host',
  summary: 'What only the host can check',
  hidden: true,
  answer: Checks,
  handle: async (view) => ({ ok: true, data: await view.doctorChecks() }),
  show: (checks, screen) => checks.map((check) => line(check, screen)).join('\n'),
});

export const doctor: ClientCommand = {
  name: 'doctor',
  summary: 'Check what an answer needs, and say what to do; works without a host',
  place: 'client',
  async run(_args, context) {
    const { root, screen, json } = context;
    const [local, driver, host] = await Promise.all([localChecks(root), declareDriver(root), hostChecks(context)]);
    const provider = await providerCheck(root, host.report);
    const checks = [...local, driverCheck(driver), provider, ...host.checks];
    if (json) screen.out(JSON.stringify({ checks, driver }));
    else screen.out([...checks.map((check) => line(check, screen)), '', ...guarantees(driver, screen)].join('\n'));
    return checks.some((check) => check.blocking && !check.ok) ? 1 : 0;
  },
};

/** No host is no failure: this command finds out why one doesn't start. One that doesn't answer is. */
async function hostChecks(context: ClientContext): Promise<{ report: StatusReport | undefined; checks: Check[] }> {
  const check = { name: 'host', blocking: false };
  try {
    const report = await findHost(context);
    if (!report)
      return { report, checks: [{ ...check, ok: false, detail: 'It is not running.', remedy: 'Run `ncl start`.' }] };
    const own = Checks.parse(await context.ask('doctor-host'));
    return { report, checks: [{ ...check, ok: true, detail: `It runs as process ${report.pid}.` }, ...own] };
  } catch (error) {
    const remedy = error instanceof NanoError ? error.remedy : 'Run `ncl restart`.';
    return { report: undefined, checks: [{ ...check, ok: false, blocking: true, detail: errorText(error), remedy }] };
  }
}

function line({ name, ok, blocking, detail, remedy }: Check, screen: Screen): string {
  const mark = ok
    ? paint(screen, 'green', 'ok  ')
    : blocking
      ? paint(screen, 'red', 'FAIL')
      : paint(screen, 'yellow', 'note');
  const advice = !ok && remedy ? `\n${' '.repeat(18)}→ ${printable(remedy)}` : '';
  return `${mark}  ${name.padEnd(10)}  ${printable(detail)}${advice}`;
}

function guarantees({ driver, guarantees: list }: DriverDeclaration, screen: Screen): string[] {
  if (list.length === 0) return [`The ${driver} driver guarantees nothing on this machine.`];
  const rows = list.map(({ name, held, how, remedy }) => {
    const mark = held ? paint(screen, 'green', 'yes') : paint(screen, 'yellow', 'no ');
    const advice = !held && remedy ? `\n${' '.repeat(29)}→ ${printable(remedy)}` : '';
    return `  ${mark}  ${name.padEnd(20)}  ${printable(how)}${advice}`;
  });
  return [`What the ${driver} driver guarantees on this machine:`, ...rows];
}
