import { GROUPINGS, inTokens, inUsd } from '../../assistant/usage/amounts.ts';
import type { Line } from '../../assistant/usage/figures.ts';
import { bars } from '../bars.ts';
import { hostCommand, textOf } from '../definition.ts';
import { choiceOf } from '../resources/resource.ts';
import { paint } from '../screen.ts';
import { sinceOf } from '../since-flag.ts';

const DAYS = 30;

/** An agent sees its own, and one that sees everything all. */
export const usage = hostCommand<Line[]>({
  name: 'usage',
  summary: `What agents have spent: money, tokens, turns; of the last ${DAYS} days at first`,
  agents: 'read',
  flags: [
    { name: 'by', value: 'what', choices: GROUPINGS, description: 'what it is summed up by; by day at first' },
    { name: 'since', value: 'time', description: '2h, 7d, or a date such as 2026-11-01' },
    { name: 'agent', value: 'group', ref: 'group', description: 'only this agent' },
  ],
  handle(view, args, { by, now }) {
    const since = sinceOf(args) ?? now - DAYS * 86_400_000;
    const grouping = choiceOf(args, 'by', GROUPINGS) ?? 'day';
    return { ok: true, data: view.usage.figures({ by: grouping, since, agentGroupId: textOf(args, 'agent') }, by) };
  },
  show(lines, look) {
    if (lines.length === 0) return 'Nothing was spent in that time.';
    const inMoney = lines.some(({ costUsd }) => costUsd !== null && costUsd > 0);
    const worthOf = (line: Line) => (inMoney ? (line.costUsd ?? 0) : tokensOf(line));
    const money = column(lines.map(({ costUsd }) => (costUsd === null ? '–' : inUsd(costUsd))));
    const tokens = column(lines.map((line) => inTokens(tokensOf(line))));
    const turns = column(lines.map((line) => String(line.turns)));
    const chart = bars(
      lines.map((line, at) => ({
        label: line.label,
        value: worthOf(line),
        text: `${money[at]}  ${tokens[at]} tokens  ${turns[at]} ${line.turns === 1 ? 'turn ' : 'turns'}  ${inMinutes(line.durationMs)}`,
      })),
      look,
    );
    const sum = (of: (line: Line) => number) => lines.reduce((all, line) => all + of(line), 0);
    const all = `${inUsd(sum(({ costUsd }) => costUsd ?? 0))}, ${inTokens(sum(tokensOf))} tokens in ${sum(({ turns }) => turns)} turns`;
    return `${chart}\n${paint(look, 'bold', `In all: ${all}.`)}`;
  },
});

function tokensOf(line: Line): number {
  return line.inputTokens + line.outputTokens + line.cacheReadTokens + line.cacheWriteTokens;
}

function column(texts: readonly string[]): string[] {
  const width = Math.max(...texts.map(({ length }) => length));
  return texts.map((text) => text.padStart(width));
}

function inMinutes(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
