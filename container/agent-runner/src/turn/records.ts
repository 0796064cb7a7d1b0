import { type AckError, cleanText, type ErrorClass, type MessageInRow, SystemOut } from '@nanoclaw/protocol';
import type { ProviderEvent } from '../provider.ts';

/** What a provider reports, in the shapes of the contract: the host refuses a file with anything else in it. */

type Usage = Extract<ProviderEvent, { type: 'usage' }>;
type ToolActivity = NonNullable<Extract<ProviderEvent, { type: 'activity' }>['tool']>;

export function ackError(
  row: MessageInRow,
  error: { class: ErrorClass; retryable: boolean; message: string; retryAfterMs?: number },
): AckError {
  const wait = amount(error.retryAfterMs);
  return {
    class: error.class,
    retryable: error.retryable,
    message: cleanText(error.message).slice(0, 2000),
    tries: row.tries,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  };
}

/** Null when the figures make no sense. */
export function usageContent(provider: string, usage: Usage): SystemOut | null {
  const { type: _, model, turn, soFar, ...figures } = usage;
  const known = Object.entries(figures).filter(([, figure]) => amount(figure) !== undefined);
  const read = SystemOut.safeParse({
    action: 'usage',
    ...(turn !== undefined && { turn }),
    ...(soFar && { soFar }),
    provider,
    ...(model === undefined ? {} : { model: cleanText(model).slice(0, 128) }),
    ...Object.fromEntries(known),
  });
  return read.success ? read.data : null;
}

export function toolFields(tool: ToolActivity): { id: string; name: string; timeout: number | null } {
  return {
    id: cleanText(tool.id).slice(0, 200),
    name: cleanText([tool.name, tool.subject ?? ''].join(' ').trim()).slice(0, 200),
    timeout: wholeMs(tool.declaredTimeoutMs),
  };
}

export function wholeMs(value: number | undefined): number | null {
  return value === undefined || amount(value) === undefined ? null : Math.round(value);
}

function amount(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value >= 0 ? value : undefined;
}
