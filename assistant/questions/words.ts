import { inline, visible } from '../../admin/approvals/card.ts';
import type { Card } from '../../src/channels/adapter.ts';
import type { Question } from './table.ts';

/** What a question looks like to those who are asked, and what their words mean. Pure. */

const MAX_OWN_WORDS = 1_000;

/** What an agent may show as its own: nothing that can't be seen, nothing that is empty, no label twice. */
export function readable(ask: { title: string; text: string; options: readonly string[] }) {
  const options = ask.options.map((label) => inline(label));
  const known = new Set(options.map(fold));
  if (options.some((label) => fold(label) === '') || known.size < options.length) return undefined;
  return { title: inline(ask.title, 150), body: visible(ask.text).trim(), options };
}

/** `forWhom`: names of those who alone may answer, where others see it, too. */
export function cardOf(question: Question, forWhom: readonly string[]): { text: string; card: Card } {
  const { id, body, options } = question;
  const title = headOf(question);
  const for_ = forWhom.length > 0 ? `(for ${forWhom.map((name) => inline(name)).join(', ')})` : '';
  const parts = [body, for_].filter((part) => part !== '');
  return {
    text: [
      title,
      ...parts,
      '',
      ...options.map((label, index) => `${index + 1}. ${label}`),
      '',
      'Answer with the number or the word.',
    ].join('\n'),
    card: {
      title,
      body: parts.join('\n\n'),
      buttons: options.map((label, index) => ({ data: `q:${id}:${index}`, label })),
    },
  };
}

function headOf({ title, card }: Question): string {
  return card ? title : `❓ ${title}`;
}

/** What stands in its place when it has ended. */
export function endedText(question: Question, who: string): string {
  return [headOf(question), question.body, '', outcomeText(question, who)].join('\n');
}

/** How it stands, for people. `who`: the name of whoever answered. */
export function outcomeText({ status, result, choice }: Question, who: string): string {
  switch (status) {
    case 'open':
      return 'This waits for an answer.';
    case 'answered':
      return choice === null ? `✅ ${who} answered in other words.` : `✅ ${who}: ${result}`;
    case 'withdrawn':
      return '⏹️ This is not asked any more.';
    case 'expired':
      return '⌛ Nobody answered this in time.';
    case 'failed':
      return `⚠️ This could not be asked: ${result}`;
  }
}

/** The same for the agent. */
export function reportText({ status, result, choice }: Question, who: string): string {
  switch (status) {
    case 'open':
      return 'It is shown with its buttons. What is pressed will come to you as a message.';
    case 'answered':
      return choice === null ? `${who} answered in their own words: ${result}` : `${who} answered: ${result}`;
    case 'withdrawn':
      return 'The question was withdrawn: the turn that asked it was stopped.';
    case 'expired':
      return 'Nobody answered.';
    case 'failed':
      return `It could not be asked: ${result}`;
  }
}

const DATA = /^q:(q-[a-z0-9]{1,32}):(\d)$/;

/** What a pressed button says. */
export function readData(data: string): { id: string; choice: number } | undefined {
  const [, id, choice] = DATA.exec(data) ?? [];
  return id === undefined ? undefined : { id, choice: Number(choice) };
}

export interface Said {
  text: string;
  /** It replies to the very message of the question. */
  isReply: boolean;
  /** The numbers of the options were shown. */
  isNumbered: boolean;
}

export interface Answer {
  /** Null: in their own words. */
  choice: number | null;
  result: string;
}

/** Undefined: it is something else that was said. */
export function readAnswer(options: readonly string[], { text, isReply, isNumbered }: Said): Answer | undefined {
  // In a group the agent is called first.
  const called = text.trim().replace(/^@[^\s:,]+[\s:,]+/, '');
  // What is said to the host is never an agent's, whatever that has written on its options.
  if (called.startsWith('/')) return undefined;
  const word = fold(called);
  const labelled = options.findIndex((label) => fold(label) === word);
  const number = /^\d$/.test(word) && (isNumbered || isReply) ? Number(word) - 1 : -1;
  const choice = labelled >= 0 ? labelled : number;
  const result = options[choice];
  if (result !== undefined) return { choice, result };
  const own = visible(called).trim();
  if (!isReply || own === '') return undefined;
  return { choice: null, result: own.length > MAX_OWN_WORDS ? `${own.slice(0, MAX_OWN_WORDS).toWellFormed()}…` : own };
}

/** `Blue`, ` blue.` and `BLUE!` are one word. */
function fold(text: string): string {
  const plain = text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();
  // Of an option that is all punctuation nothing would be left.
  return plain.replace(/[\s.!,;:)]+$/, '') || plain;
}
