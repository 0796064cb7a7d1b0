import type { ProviderEvent } from '@nanoclaw/agent-runner/provider';
import type { ModelUsage } from './harness-message.ts';

/** One turn's figures, over all models that it used; the name is the one that wrote most. Undefined: none was asked. */
export function usageEvent(
  byModel: Readonly<Record<string, ModelUsage>>,
  durationMs: number | undefined,
  turn: string,
): ProviderEvent | undefined {
  const models = Object.entries(byModel);
  const main = models.toSorted(([, a], [, b]) => b.outputTokens - a.outputTokens)[0]?.[0];
  if (main === undefined) return undefined;
  const sum = (of: (usage: ModelUsage) => number): number => models.reduce((all, [, usage]) => all + of(usage), 0);
  return {
    type: 'usage',
    turn,
    model: main,
    inputTokens: sum((usage) => usage.inputTokens),
    outputTokens: sum((usage) => usage.outputTokens),
    cacheReadTokens: sum((usage) => usage.cacheReadInputTokens),
    cacheWriteTokens: sum((usage) => usage.cacheCreationInputTokens),
    costUsd: sum((usage) => usage.costUSD),
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}
