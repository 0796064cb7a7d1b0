import path from 'node:path';
import { escapeSuite } from './escape-suite.ts';
import { bubblewrapIn } from './host.ts';

escapeSuite('bubblewrap', bubblewrapIn, path.join(import.meta.dirname, 'host-process.ts'));
