import { boxCases } from './cases-box.ts';
import { outboxCases } from './cases-outbox.ts';
import { rowCases } from './cases-rows.ts';
import { hostileSuite } from './suite.ts';

hostileSuite('folders', [...rowCases, ...outboxCases, ...boxCases]);
