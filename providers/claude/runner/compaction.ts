/** What came of `/compact`, for the chat. Pure. */

export interface Compacted {
  /** Tokens; `after` is not always told. */
  before: number;
  after?: number | undefined;
}

const NOTHING = /\b(?:no|not enough) messages to compact/i;

/** `printed`: what the harness itself says of it. */
export function compactionText(printed: string, compacted: Compacted | undefined): string {
  if (compacted) {
    const { before, after } = compacted;
    if (after === undefined) return `Summarised: there were about ${about(before)} tokens.`;
    return after < before
      ? `Summarised: from about ${about(before)} to ${about(after)} tokens.`
      : `Summarised, but it was short already: there were about ${about(before)} tokens.`;
  }
  if (NOTHING.test(printed)) return 'There is nothing to summarise yet.';
  return 'It could not be summarised, and is as it was. Try again in a while.';
}

/** Two digits say enough. */
function about(tokens: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, tokens))) - 1);
  return (Math.round(tokens / step) * step).toLocaleString('en');
}
