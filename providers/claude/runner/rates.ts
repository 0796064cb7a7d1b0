import type { ModelUsage } from './harness-message.ts';

/**
 * What an answer costs before the harness says so. All Claude models price output at five times their input, writing to the
 * cache at 1.25 times, reading it at a tenth: one rate a model says it all, and the harness's own last figures give that.
 */

export interface Tokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

/** USD for a million input tokens, until the harness has told what a model costs. */
const BY_FAMILY: readonly [RegExp, number][] = [
  [/opus-4-(0|1|20)|3-opus/, 15],
  [/opus/, 5],
  [/haiku/, 1],
  [/./, 3],
];
const MILLION = 1_000_000;

/** Of this process's life: prices don't change with a conversation. */
const learned = new Map<string, number>();

export function costOf(model: string, tokens: Tokens): number {
  const rate = learned.get(nameOf(model)) ?? BY_FAMILY.find(([family]) => family.test(model))?.[1] ?? 0;
  return (weightOf(tokens) * rate) / MILLION;
}

export function learn(byModel: Readonly<Record<string, ModelUsage>>): void {
  for (const [model, usage] of Object.entries(byModel)) {
    const weight = weightOf({
      input: usage.inputTokens,
      output: usage.outputTokens,
      cacheRead: usage.cacheReadInputTokens,
      cacheWrite: usage.cacheCreationInputTokens,
    });
    if (weight > 0 && usage.costUSD > 0) learned.set(nameOf(model), (usage.costUSD / weight) * MILLION);
  }
}

function weightOf({ input, output, cacheRead, cacheWrite }: Tokens): number {
  return input + 5 * output + 1.25 * cacheWrite + 0.1 * cacheRead;
}

/** Without the size of its window. */
function nameOf(model: string): string {
  return model.replace(/\[\w+\]$/, '');
}
