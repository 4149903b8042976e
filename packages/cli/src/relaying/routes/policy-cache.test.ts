import { expect, it } from 'vitest';
import { boundedPolicyCache } from './policy-cache.js';

it('the policy that was looked up the longest ago leaves first', async () => {
  const cache = boundedPolicyCache(2);
  const policy = {
    id: '1',
    policy: { mode: 'enforce' as const, maxAge: 1, mx: ['a.example'] },
    expiresAt: 1,
  };
  for (const domain of ['one', 'two']) await cache.set(domain, policy);
  await cache.get('one');
  await cache.set('three', policy);
  expect(await Promise.all(['one', 'two', 'three'].map((domain) => cache.get(domain)))).toEqual([
    policy,
    undefined,
    policy,
  ]);
});
