import { globSync } from 'node:fs';
import { join } from 'node:path';

/** One part of the checks: a command, and how its outcome is read. */
export interface Stage {
  name: string;
  command: readonly string[];
  /** How its summary is written; `plain` has none, and its exit status is all. */
  kind: 'plain' | 'node' | 'bun';
  /** A stage that takes longer hangs, and is ended. */
  deadlineMinutes: number;
  /** Runs beside the next one: its tests run one after the other, and leave a core. */
  besideNext?: boolean;
  /** It waits for container engines, and does what it can where there are none. */
  onEngines?: boolean;
  /** More of its environment. */
  env?: Readonly<Record<string, string>>;
}

const NODE_TEST = ['node', '--use-system-ca', '--test', '--test-reporter=spec', '--test-timeout=180000'];

export function allStages(root: string, full: boolean): Stage[] {
  const files = (...patterns: string[]) => findTests(root, patterns, full);
  const fakes = files('test/fakes/**/*.test.ts');
  const isHosts = (file: string) => /^providers\/[^/]+\/host/.test(file);
  const providers = files('providers/**/*.test.ts');
  const engines = files('test/sandbox/**/*.test.ts', ...ON_ENGINES);
  const host = [
    ...files(
      'src/**/*.test.ts',
      'admin/**/*.test.ts',
      'assistant/**/*.test.ts',
      'channels/terminal/**/*.test.ts',
      'drivers/**/*.test.ts',
      'cli/**/*.test.ts',
      'vault/**/*.test.ts',
      'protocol/**/*.test.ts',
      'setup/**/*.test.ts',
      'bench/**/*.test.ts',
    ),
    ...fakes,
  ].filter((file) => !engines.includes(file));
  const isChannels = (file: string) => /^(?:test\/)?channels\//.test(file) && !file.startsWith('channels/terminal/');
  const channels = files('channels/**/*.test.ts', 'test/channels/**/*.test.ts').filter(isChannels);
  const runner = files('container/agent-runner/**/*.test.ts', 'protocol/**/*.test.ts');
  const elsewhere = (file: string) => fakes.includes(file) || engines.includes(file) || isChannels(file);
  const endToEnd = files('test/**/*.test.ts').filter((file) => !elsewhere(file));
  const times = full ? 6 : 1;
  const plain = { kind: 'plain', deadlineMinutes: 5 } as const;
  const side = { ...plain, besideNext: true } as const;
  return [
    { name: 'format', command: ['biome', 'check', '.'], ...side },
    { name: 'shell', command: ['bash', 'setup/checks/shell.sh'], ...side },
    { name: 'types-host', command: ['tsc', '--noEmit', '-p', 'tsconfig.json'], ...side },
    { name: 'types-runner', command: ['tsc', '--noEmit', '-p', 'container/agent-runner/tsconfig.json'], ...side },
    { name: 'types-page', command: ['tsc', '--noEmit', '-p', 'channels/web/page/tsconfig.json'], ...side },
    { name: 'lines', command: ['node', 'setup/checks/lines.ts'], ...plain },
    {
      name: 'host',
      command: [...NODE_TEST, '--test-concurrency=2', ...host, ...providers.filter(isHosts)],
      kind: 'node',
      deadlineMinutes: 8 * times,
    },
    // Both wait more than they compute, and one test after the other.
    { ...bunTests('runner', runner), deadlineMinutes: 6 * times, besideNext: true },
    {
      ...bunTests(
        'providers',
        providers.filter((file) => !isHosts(file)),
      ),
      deadlineMinutes: 8 * times,
      besideNext: true,
    },
    {
      name: 'channels',
      command: [...NODE_TEST, '--test-concurrency=2', ...channels],
      kind: 'node',
      deadlineMinutes: 8 * times,
    },
    {
      name: 'engines',
      // They wait for containers more than they compute.
      command: [...NODE_TEST, '--test-concurrency=3', ...engines],
      kind: 'node',
      deadlineMinutes: 8 * times,
      onEngines: true,
      ...(full && { env: { NANOCLAW_TEST_FULL: '1' } }),
    },
    ...(full ? [onEngine('docker', files), onEngine('podman', files)] : []),
    {
      name: 'end-to-end',
      // They wait for processes more than they compute.
      command: [...NODE_TEST, '--test-concurrency=3', ...endToEnd.filter((file) => !measuresTimes(file))],
      kind: 'node',
      deadlineMinutes: 16 * times,
    },
    {
      name: 'measured',
      // With nothing beside them: how long something takes is what they show.
      command: [...NODE_TEST, '--test-concurrency=1', ...endToEnd.filter(measuresTimes)],
      kind: 'node',
      deadlineMinutes: 8 * times,
    },
  ];
}

/** What needs an engine, beside the suites of `test/sandbox/`. */
const ON_ENGINES = [
  ...['engine', 'runtime', 'relay-network', 'browser', 'on-engines'].map((name) => `test/e2e/${name}*.test.ts`),
  ...['drivers/image/image.test.ts', 'setup/runtime.test.ts'],
];

/** What there was to show before there was an engine, as it is, with hosts that use this one. */
const BEFORE_ENGINES = [
  ...[
    ...['bad-input', 'claude', 'demo', 'housekeeping', 'hung-host', 'isolation', 'scripted', 'settings', 'tools'],
    ...['trace', 'two-starts', 'unattended'],
  ].map((name) => `test/e2e/${name}.test.ts`),
  'test/failures/*.test.ts',
];

function onEngine(name: 'docker' | 'podman', files: (...patterns: string[]) => string[]): Stage {
  return {
    name,
    command: [...NODE_TEST, '--test-concurrency=2', ...files(...BEFORE_ENGINES)],
    kind: 'node',
    deadlineMinutes: 30,
    onEngines: true,
    env: { NANOCLAW_TEST_RUNTIME: name },
  };
}

/** Stages that run at the same time, in their order. */
export function inTurn(stages: readonly Stage[]): Stage[][] {
  return stages.reduce<Stage[][]>((turns, stage, index) => {
    if (stages[index - 1]?.besideNext) turns.at(-1)?.push(stage);
    else turns.push([stage]);
    return turns;
  }, []);
}

function bunTests(name: string, files: readonly string[]): Omit<Stage, 'deadlineMinutes'> {
  // Its default of 5 s is a time for a machine with nothing else to do. With a path in front, or Bun takes a name as a filter.
  return { name, kind: 'bun', command: ['bun', 'test', '--timeout=180000', ...files.map((file) => `./${file}`)] };
}

function measuresTimes(file: string): boolean {
  return /^test\/(?:hostile\/|e2e\/(?:scale|ncl-inside)\.|failures\/(?:patience|clock)\.)/.test(file);
}

function findTests(root: string, patterns: readonly string[], full: boolean): string[] {
  return globSync([...patterns], { cwd: root, exclude: ['**/node_modules/**'] })
    .filter((file) => !join('/', file).includes('/node_modules/'))
    .filter((file) => full || !file.endsWith('.full.test.ts'))
    .sort();
}
