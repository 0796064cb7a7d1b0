/** The life of an approval: one table. What isn't in it doesn't happen, and is answered with a sentence. Pure. */

export const STATUSES = ['pending', 'naming', 'approved', 'denied', 'expired', 'failed'] as const;
export type Status = (typeof STATUSES)[number];

/** `name`: an option is chosen that still lacks a name; `named`: here it is. */
export const STEPS = ['approve', 'name', 'named', 'deny', 'expire', 'fail'] as const;
export type Step = (typeof STEPS)[number];

const TABLE: Readonly<Record<Status, Readonly<Partial<Record<Step, Status>>>>> = {
  pending: {
    approve: 'approved',
    name: 'naming',
    named: 'approved',
    deny: 'denied',
    expire: 'expired',
    fail: 'failed',
  },
  // A name that can't be used is asked for again: nothing fails by it.
  naming: { named: 'approved', deny: 'denied', expire: 'expired' },
  approved: {},
  denied: {},
  expired: {},
  failed: {},
};

/** Undefined: not from here. */
export function nextStatus(status: Status, step: Step): Status | undefined {
  return TABLE[status][step];
}

export function isOpen(status: Status): boolean {
  return nextStatus(status, 'expire') !== undefined;
}
