/** What holds for every delivery, however badly the servers behave: no recipient without a verdict, none served twice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MailResolver } from '../routing/mail-resolver.js';
import { createMailer } from './mailer.js';
import {
  type Address,
  type Answer,
  envelopeTo,
  expectToClose,
  Network,
  resolverOf,
} from './scripted-network.test-support.js';

const ADDRESSES = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
const DOMAINS = {
  'a.example': ADDRESSES.slice(0, 2),
  'b.example': ADDRESSES.slice(0, 2),
  'c.example': ADDRESSES,
};

/** The first two exchangers have the same two addresses. */
const withSeveralAddresses: MailResolver = {
  ...resolverOf(DOMAINS),
  async resolveAddresses(host) {
    const address = host.replace(/\.mx$/, '');
    const shared = ADDRESSES.slice(0, 2);
    return { kind: 'found', records: shared.includes(address) ? shared : [address] };
  },
};

const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Answer>(
      '421 4.3.2 Off',
      '450 Later',
      '452 4.5.3 Many',
      '552 Many',
      '554 No',
      'drop',
      'silence',
      '250 OK',
      '?',
    ),
  },
);

/** The answers that a server gives in turn, whatever it is asked. */
const address: fc.Arbitrary<
  | { kind: 'server'; answers: Answer[]; greeting: Answer; keywords: readonly string[] }
  | { kind: 'none' | 'silent' }
> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('none' as const, 'silent' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('server' as const),
      answers: fc.array(answer, { minLength: 1, maxLength: 23 }),
      greeting: fc.constantFrom<Answer>(undefined, undefined, undefined, '421 Busy', '554 No', 'drop'),
      keywords: fc.constantFrom(
        ['PIPELINING'],
        [],
        ['PIPELINING', 'LIMITS RCPTMAX=2'],
        ['LIMITS RCPTDOMAINMAX=1 MAILMAX=2'],
      ),
    }),
  },
);

const recipients = fc.uniqueArray(
  fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom('a', 'b', 'c', 'none'))
    .map(([name, domain]) => `${name}@${domain}.example`),
  { minLength: 1, maxLength: 6 },
);

const messages = fc.array(
  fc.record({
    recipients,
    body: fc.constantFrom('text', 'stream', 'fails', 'fails later'),
    wait: fc.constantFrom(0, 5, 20, 7_000),
    deadline: fc.constantFrom(undefined, undefined, 15, 30_000),
  }),
  { minLength: 1, maxLength: 5 },
);

describe('whatever the servers do', () => {
  it('each recipient has one verdict, which is true, and nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(address, address, address),
        messages,
        fc.record({
          relay: fc.boolean(),
          severalAddresses: fc.boolean(),
          recipientsPerTransaction: fc.integer({ min: 1, max: 4 }),
          connections: fc.integer({ min: 1, max: 3 }),
          connectionsPerHost: fc.integer({ min: 1, max: 2 }),
        }),
        async (servers, mail, options) => {
          const addresses = servers.map((server, index): [string, Address] => {
            if (server.kind !== 'server') {
              return [ADDRESSES[index] ?? '', server.kind === 'none' ? 'refused' : 'unreachable'];
            }
            let turn = 0;
            const reply = (command: string): Answer => {
              if (command === 'QUIT' || command === 'RSET') return undefined;
              const answer = server.answers[turn++ % server.answers.length];
              // A server that refuses amid a message and takes it all the same would make a liar of anybody.
              return command !== 'body' || answer === 'drop' ? answer : undefined;
            };
            return [ADDRESSES[index] ?? '', { greeting: server.greeting, keywords: server.keywords, reply }];
          });
          const network = new Network(Object.fromEntries(addresses));
          const { connections, connectionsPerHost, recipientsPerTransaction } = options;
          const mailer = createMailer({
            clock: network.clock,
            openStream: network.openStream,
            recipientsPerTransaction,
            pool: { connections, connectionsPerHost },
            ...(options.relay
              ? { relay: { host: ADDRESSES[0] ?? '' } }
              : { resolver: options.severalAddresses ? withSeveralAddresses : resolverOf(DOMAINS) }),
          });
          const sendings = mail.map(async ({ recipients, body, wait, deadline }, number) => {
            await new Promise<void>((resolve) => network.clock.set(network.clock.now() + wait, resolve));
            const text = `Number: ${number}.\r\n\r\nHello\r\n`;
            const fault = new Error('The body failed');
            async function* stream() {
              yield Buffer.from(text.slice(0, 8));
              if (body === 'fails') throw fault;
              yield Buffer.from(text.slice(8));
            }
            let readings = 0;
            const failingLater = {
              async *read() {
                readings += 1;
                yield Buffer.from(text.slice(0, 8));
                if (readings > 1) throw fault;
                yield Buffer.from(text.slice(8));
              },
            };
            const bodies = { text, stream: stream(), fails: stream(), 'fails later': failingLater };
            const taken = (recipient: string) =>
              network.connections.flatMap(({ messages }) =>
                messages.filter(
                  (message) =>
                    message.text.startsWith(`Number: ${number}.`) && message.recipients.includes(recipient),
                ),
              );
            try {
              const verdicts = await mailer.send(
                envelopeTo(...recipients),
                bodies[body],
                deadline === undefined ? {} : { deadline },
              );
              expect(
                verdicts.map(({ recipient: { localPart, domain } }) => `${localPart}@${domain}`),
              ).toEqual(recipients);
              return () => {
                for (const [index, recipient] of recipients.entries()) {
                  const { verdict } = verdicts[index] ?? {};
                  const heard = taken(recipient);
                  const kept = heard.filter((message) => message.taken);
                  expect(heard.length).toBeLessThanOrEqual(1);
                  if (verdict === 'delivered') expect(kept).toHaveLength(1);
                  else if (verdict !== 'unknown') expect(kept).toHaveLength(0);
                  for (const message of heard) expect(message.text).toBe(text);
                }
              };
            } catch (error) {
              expect(error).toBe(fault);
              return () => {
                for (const recipient of recipients) expect(taken(recipient)).toEqual([]);
              };
            }
          });
          const checks = await network.run(Promise.all(sendings));
          await expectToClose(mailer, network);
          for (const check of checks) check();
          expect(network.mostInAll).toBeLessThanOrEqual(connections);
          for (const most of network.most.values()) expect(most).toBeLessThanOrEqual(connectionsPerHost);
        },
      ),
      { numRuns: 100 },
    );
  });
});
