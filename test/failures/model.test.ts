import {
  billing,
  cutAfter,
  overloaded,
  promptTooLong,
  rateLimited,
  unauthorized,
} from '../fakes/messages-api/index.ts';
import { modelRows } from './model-rows.ts';

/** One of each kind; `model.full.test.ts` has the other ways to the same end. */
modelRows([
  { name: 'key-401', reply: unauthorized, kind: 'auth', retry: false },
  { name: 'credit-400', reply: () => billing(400), kind: 'billing', retry: false },
  { name: 'too-long', reply: () => promptTooLong(), kind: 'context', retry: false },
  { name: 'limit-429', reply: () => rateLimited(12), kind: 'rate-limit', retry: true, askedMs: 12_000 },
  { name: 'overload-529', reply: overloaded, kind: 'overload', retry: true },
  { name: 'cut-in-stream', reply: () => cutAfter('half'), kind: 'network', retry: true },
]);
