/**
 * MTA-STS policies in memory, so many of them: whoever may relay could have us fetch those of any number of domains. The one that was
 * looked up the longest ago leaves first, and is fetched again when it is wanted.
 */
import type { CachedPolicy, PolicyCache } from '@sansmtp/delivery';

const MAXIMUM_POLICIES = 1000;

export function boundedPolicyCache(maximum = MAXIMUM_POLICIES): PolicyCache {
  const policies = new Map<string, CachedPolicy>();
  const put = (domain: string, policy: CachedPolicy) => {
    policies.delete(domain);
    policies.set(domain, policy);
  };
  return {
    get(domain) {
      const policy = policies.get(domain);
      if (policy !== undefined) put(domain, policy);
      return policy;
    },
    set(domain, policy) {
      put(domain, policy);
      const [oldest = ''] = policies.keys();
      if (policies.size > maximum) policies.delete(oldest);
    },
  };
}
