import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from './commands/index.ts';
import { errorsPage } from './errors-page.ts';
import { failuresPage } from './failures-page.ts';
import { commandsPage } from './help-text.ts';

/** `bash setup/run.sh node cli/write-docs.ts`, after a change to a command, to the table of errors or of failures. */
const docs = join(import.meta.dirname, '..', 'docs');
writeFileSync(join(docs, 'ncl.md'), commandsPage(commands));
writeFileSync(join(docs, 'errors.md'), errorsPage());
const failures = join(docs, 'failures.md');
writeFileSync(failures, failuresPage(readFileSync(failures, 'utf8')));
