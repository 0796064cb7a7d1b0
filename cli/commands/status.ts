import { hostCommand } from '../definition.ts';
import { since } from '../relative-time.ts';
import type { InUse } from '../runtime/in-use.ts';
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

/** Whoever waits for a host asks again and again: the engine need not hear of each. */
const FRESH_MS = 1_000;
let known: { driver: string; until: number; look: Promise<InUse> } | undefined;

async function inUse(driver: string): Promise<InUse> {
  if (driver === 'bubblewrap') return { image: null, trouble: null };
  if (known?.driver !== driver || performance.now() > known.until) {
    // Loaded late: a host without an engine needs none of it.
    const look = import('../runtime/in-use.ts').then(({ lookAtInUse }) => lookAtInUse(process.cwd()));
    const asked = { driver, until: Number.POSITIVE_INFINITY, look };
    known = asked;
    void look.finally(() => {
      asked.until = performance.now() + FRESH_MS;
    });
  }
  return known.look;
}

export const status = hostCommand({
  name: 'status',
  summary: 'What the running host does',
  // What keeps a host running tells it so.
  async handle(view) {
    const report = view.status();
    const { image, trouble } = await inUse(report.driver);
    const problems = [...report.problems, ...(trouble === null ? [] : [trouble])];
    return { ok: true, data: { ...report, service: service(), image, trouble, problems } };
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
