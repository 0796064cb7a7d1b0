import { join } from 'node:path';
import { hostCommand } from '../definition.ts';
import { since } from '../relative-time.ts';
import { paint } from '../screen.ts';
import { pairs } from '../table.ts';

/** Our own supervisor is the host's parent; that of another service can't go away. */
const SUPERVISOR = 'own supervisor';
const parent = process.ppid;

function service(): string | null {
  const name = process.env.NANOCLAW_SERVICE ?? null;
  const isAlone = name === SUPERVISOR && process.ppid !== parent;
  return isAlone ? `${name}, which is gone: a crash ends the host. \`ncl restart\` brings it back` : name;
}

/** Where an engine starts sandboxes, what becomes of their image. */
async function image(driver: string) {
  if (driver === 'bubblewrap') return null;
  // Loaded late: most commands need none of it.
  const { describeImage, readImageStatus } = await import('../../drivers/image/status.ts');
  const known = readImageStatus(join(process.cwd(), 'data', 'sandbox'));
  return known ? describeImage(known) : null;
}

export const status = hostCommand({
  name: 'status',
  summary: 'What the running host does',
  // What keeps a host running tells it so.
  async handle(view) {
    const report = view.status();
    return { ok: true, data: { ...report, service: service(), image: await image(report.driver) } };
  },
  show(report, screen) {
    const agents = report.agents.map(
      ({ name, provider, model }) => `${name} (${model ? `${provider}, ${model}` : provider})`,
    );
    const channels = report.channels.map(({ channelType, connected }) => `${channelType}${connected ? '' : ' (away)'}`);
    const queues = Object.entries(report.queues).map(([name, depth]) => `${name} ${depth}`);
    const shown = pairs(
      [
        ['host', `${report.version}, pid ${report.pid}, up ${since(report.startedAt)}`],
        ['install', report.slug],
        ['service', report.service ?? 'none: a crash ends it. See `ncl service install`'],
        ['sandbox', report.driver],
        ...(report.image ? [['image', report.image.detail] satisfies [string, string]] : []),
        ['agents', agents.join(', ') || 'none: run `ncl init-first-agent`'],
        ['channels', channels.join(', ') || 'none'],
        ['sessions', `${report.sessions.active} active, ${report.sessions.running} running`],
        ['queues', queues.join(', ') || 'none'],
      ],
      screen,
    );
    return [shown, ...report.problems.map((problem) => paint(screen, 'yellow', `problem: ${problem}`))].join('\n');
  },
});
