import type { Block, Inline } from './types.d.ts';

/** What a text says, as a tree. Takes any text; nothing in it is markup beyond what `Block` names. */
export function parse(text: string): Block[];
export function parseInline(text: string, depth?: number): Inline[];
/** The address in the form that a browser would go to, if it is one of the kinds that may be linked. */
export function safeLink(href: string): string | undefined;
