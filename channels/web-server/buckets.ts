/** Token buckets by key, in bounded memory: of more keys than fit, the one that was quiet for the longest is forgotten. */

export interface Rate {
  perSecond: number;
  burst: number;
}

export interface Buckets {
  /** 0: it may pass, and has been counted. Otherwise the seconds after which the next one may. */
  take(key: string): number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export function createBuckets({ perSecond, burst }: Rate, mostKeys: number, now = () => performance.now()): Buckets {
  const buckets = new Map<string, Bucket>();
  return {
    take(key) {
      const at = now();
      const known = buckets.get(key);
      const tokens = known ? Math.min(burst, known.tokens + ((at - known.at) / 1000) * perSecond) : burst;
      const isFree = tokens >= 1;
      // Put in anew: a Map keeps the order in which its keys came.
      buckets.delete(key);
      buckets.set(key, { tokens: isFree ? tokens - 1 : tokens, at });
      const [oldest] = buckets.keys();
      if (buckets.size > mostKeys && oldest !== undefined) buckets.delete(oldest);
      return isFree ? 0 : Math.ceil((1 - tokens) / perSecond);
    },
  };
}
