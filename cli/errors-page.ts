import { ERRORS } from '../src/errors.ts';

/** `docs/errors.md`. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { sentence, remedy, exit }]) => `| \`${code}\` | ${cell(sentence)} | ${cell(remedy)} | ${exit} |`);
  return `# Errors

<!-- Made from src/errors.ts by cli/write-docs.ts. -->

Each deliberate error has a code, a sentence and a remedy. \`ncl\` prints the sentence with what is known beyond it, and
the remedy, on stderr; with \`--json\` the code too.

| code | what it says | what to do | exit |
|---|---|---|---|
${rows.join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
