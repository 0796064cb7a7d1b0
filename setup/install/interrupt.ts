import { say } from './steps.ts';

let isElsewhere = false;

/** Ctrl-C, in the words in which the first half of the setup says it. */
export function endOnInterrupt(): void {
  process.on('SIGINT', () => {
    if (isElsewhere) return;
    say('\n  Interrupted. Run this again: it goes on where it stopped.');
    process.exit(130);
  });
}

/** While a program of its own asks: the terminal sends Ctrl-C to both, and there it means to leave that part. */
export async function leftTo<T>(work: Promise<T>): Promise<T> {
  isElsewhere = true;
  return work.finally(() => {
    isElsewhere = false;
  });
}
