/** Where no exchanger takes the message as it is: when that is for good, and when another may. */
import { describe, expect, it } from 'vitest';
import { envelopeTo, expectNothingLeft, mailing, resolverOf } from './scripted-network.test-support.js';

expectNothingLeft();

const [A, B, C] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';
const lacking = { keywords: ['PIPELINING'] };
const taking = { keywords: ['PIPELINING', '8BITMIME', 'SMTPUTF8'] };

type Hosts = Parameters<typeof mailing>[0];

async function verdictOf(mx: readonly (string | readonly string[])[], hosts: Hosts, parameters: object) {
  const { mailer, network } = mailing(hosts, { resolver: resolverOf({ 'b.example': mx }), random: () => 0 });
  const envelope = { ...envelopeTo('r@b.example'), parameters };
  const [verdict] = await network.run(mailer.send(envelope, MESSAGE));
  return verdict;
}

describe.each([
  ['8BITMIME', { body: '8BITMIME' }, '5.6.3'],
  ['SMTPUTF8', { smtpUtf8: true }, '5.6.7'],
  ['BINARYMIME', { body: 'BINARYMIME' }, '5.6.1'],
] as const)('a message that needs %s is', (_, parameters, enhancedCode) => {
  const rejected = { verdict: 'rejected', enhancedCode };
  it.each<[string, readonly (string | readonly string[])[], Hosts, object]>([
    ['rejected where the only exchanger lacks it', [A], { [A]: lacking }, rejected],
    ['rejected where all of the best preference do', [[A, B]], { [A]: lacking, [B]: lacking }, rejected],
    [
      'rejected where all of the best that is reached do, though a better one is not reached',
      [A, B],
      { [A]: 'refused', [B]: lacking },
      rejected,
    ],
    [
      'rejected where the best lacks it, though a worse one is not reached',
      [A, B],
      { [A]: lacking, [B]: 'unreachable' },
      rejected,
    ],
    [
      'deferred where one of the same preference is not reached',
      [[A, B]],
      { [A]: lacking, [B]: 'refused' },
      { verdict: 'deferred' },
    ],
    [
      'deferred where the session has no TLS though the server offers it',
      [A],
      { [A]: { ...lacking, tls: 'fails' } },
      { verdict: 'deferred', enhancedCode: enhancedCode.replace('5', '4') },
    ],
    [
      'deferred where the server takes no EHLO',
      [A],
      { [A]: { reply: (command) => (command.startsWith('EHLO') ? '502 No' : undefined) } },
      { verdict: 'deferred' },
    ],
  ])('%s', async (_, mx, hosts, verdict) => {
    expect(await verdictOf(mx, hosts, parameters)).toMatchObject(verdict);
  });
});

it('goes to a worse exchanger that has what it needs', async () => {
  const verdict = await verdictOf([A, C], { [A]: lacking, [C]: taking }, { body: '8BITMIME' });
  expect(verdict).toMatchObject({ verdict: 'delivered', host: `${C}.mx` });
});
