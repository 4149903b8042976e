import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailbox } from '../dialogue.test-support.js';
import { withheldRecipients } from './recipient-limits.js';

describe('withheldRecipients', () => {
  it('lets through as many recipients and domains as the limits say, the first ones, and no fewer', () => {
    const maximum = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
    const domains = fc.array(fc.constantFrom('a', 'B', 'b', 'c', 'd'), { maxLength: 12 });
    fc.assert(
      fc.property(domains, maximum, maximum, (names, recipientMaximum, recipientDomainMaximum) => {
        const limits = {
          ...(recipientMaximum && { recipientMaximum }),
          ...(recipientDomainMaximum && { recipientDomainMaximum }),
        };
        const recipients = names.map((name) => mailbox(`r@${name}`));
        const withheld = withheldRecipients(recipients, limits, new Set());
        const sent: string[] = [];
        names.forEach((name, index) => {
          const domain = name.toLowerCase();
          const full = sent.length >= (recipientMaximum ?? Number.POSITIVE_INFINITY);
          const known = sent.includes(domain);
          const foreign =
            !known && new Set(sent).size >= (recipientDomainMaximum ?? Number.POSITIVE_INFINITY);
          const keyword = full ? 'RCPTMAX' : foreign ? 'RCPTDOMAINMAX' : undefined;
          expect(withheld.get(index)?.keyword).toBe(keyword);
          if (keyword === undefined) sent.push(domain);
        });
      }),
    );
  });

  it('remembers the domains of the session, where they are limited', () => {
    const domains = new Set(['a.example']);
    const limits = { recipientDomainMaximum: 2 };
    expect(withheldRecipients([mailbox('r@b.example')], limits, domains).size).toBe(0);
    expect(withheldRecipients([mailbox('r@c.example'), mailbox('r@A.example')], limits, domains)).toEqual(
      new Map([[0, { kind: 'limit', phase: 'rcpt', keyword: 'RCPTDOMAINMAX', limit: 2 }]]),
    );
  });
});
