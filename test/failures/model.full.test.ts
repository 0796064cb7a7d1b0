import {
  billing,
  cut,
  error,
  errorAfter,
  forbidden,
  serverError,
  stall,
  stallAfter,
} from '../fakes/messages-api/index.ts';
import { modelRows } from './model-rows.ts';

/** The other ways to the ends that model.test.ts has. */
modelRows([
  { name: 'key-403', reply: forbidden, kind: 'auth', retry: false },
  { name: 'credit-402', reply: () => billing(402), kind: 'billing', retry: false },
  {
    name: 'limit-429-bare',
    reply: () => error(429, 'rate_limit_error', 'Slow down.'),
    kind: 'rate-limit',
    retry: true,
  },
  { name: 'overload-500', reply: serverError, kind: 'overload', retry: true },
  { name: 'overload-in-stream', reply: () => errorAfter('half'), kind: 'overload', retry: true },
  { name: 'cut-at-once', reply: cut, kind: 'network', retry: true },
  // Given up by the runner after 90 s without a word.
  { name: 'stall-at-once', reply: stall, kind: 'network', retry: true },
  { name: 'stall-in-stream', reply: () => stallAfter('half'), kind: 'network', retry: true },
]);
