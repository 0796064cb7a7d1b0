import { DRIVERS } from './drivers.ts';
import { escapeSuite } from './escape-suite.ts';

for (const under of DRIVERS) escapeSuite(under);
