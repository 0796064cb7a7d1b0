import { DRIVERS } from './drivers.ts';
import { lifecycleSuite } from './lifecycle-suite.ts';

for (const under of DRIVERS) lifecycleSuite(under);
