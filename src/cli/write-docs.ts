import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from './commands/index.ts';
import { errorsPage } from './errors-page.ts';
import { commandsPage } from './help-text.ts';

/** `bash setup/run.sh node src/cli/write-docs.ts`, after a change to a command or to the table of errors. */
const docs = join(import.meta.dirname, '..', '..', 'docs');
writeFileSync(join(docs, 'ncl.md'), commandsPage(commands));
writeFileSync(join(docs, 'errors.md'), errorsPage());
