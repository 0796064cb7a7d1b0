import { lookup, Resolver } from 'node:dns/promises';

/** All addresses of a name, best first. Rejects with an error that has a code. `named`: a rule of the owner names it. */
export type Resolve = (name: string, named: boolean) => Promise<readonly string[]>;

/**
 * A name that a rule names is looked up as this machine does it, with its hosts file. Any other asks the DNS itself: the
 * system's lookup holds one of few threads until it ends, and one sandbox with dead names would stall all the others.
 * A resolver for each name, so that a change of network is seen at once.
 */
export const resolveName: Resolve = async (name, named) => {
  if (named) return (await lookup(name, { all: true })).map(({ address }) => address);
  const dns = new Resolver({ timeout: 2_500, tries: 2 });
  const answers = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const [first] = answers;
  if (found.length === 0 && first?.status === 'rejected') throw first.reason;
  return found;
};
