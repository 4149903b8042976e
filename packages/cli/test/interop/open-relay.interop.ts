/**
 * Forms by which strangers have had mail relayed: none of them gets a message to another host. The relay has a local domain, a
 * routed one whose next hop takes anything, and a route for all other domains, over which whatever is relayed would go.
 */
import { startMailServer } from '@sansmtp/transport-node';
import { expect, it, onTestFinished } from 'vitest';
import { greeted, type RawClient } from './raw-client.js';
import { relay } from './relaying.js';

/** What the next hops got, each recipient. */
async function nextHop(): Promise<{ port: number; got: string[] }> {
  const got: string[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    handlers: { onMessage: ({ envelope: { recipients } }) => void got.push(JSON.stringify(recipients)) },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  return { port: address?.kind === 'tcp' ? address.port : 0, got };
}

/** What a stranger says to RCPT, after MAIL; none may be answered by 2yz. */
const REFUSED_RECIPIENTS = [
  'victim@victim.example',
  'victim@VICTIM.Example',
  'victim@victim.example.',
  'victim@sub.local.example',
  'victim@local.example.victim.example',
  'victim@xlocal.example',
  'victim@local-example',
  'victim@local',
  'victim@example',
  'victim@localhost',
  'victim@relay.example',
  'victim@[127.0.0.1]',
  'victim@[192.0.2.1]',
  'victim@[IPv6:::1]',
  'victim@127.0.0.1',
  'victim@2130706433',
  'victim@*',
  'victim@xn--local.example-',
  'victim%local.example@victim.example',
  'local.example!victim@victim.example',
  '"victim@local.example"@victim.example',
  '"@local.example:victim"@victim.example',
  '@local.example:victim@victim.example',
  '@local.example,@routed.example:victim@victim.example',
  '@routed.example:victim@victim.example',
  'victim%victim.example@routed.example',
  'victim.example!victim@routed.example',
  '"victim@victim.example"@routed.example',
  'victim%victim.example%local.example@routed.example',
  '"victim%victim.example"@routed.example',
  '@local.example:victim%victim.example@routed.example',
  'victim@victim.example@local.example',
  'victim@victim.example%local.example',
  'victim@local.example@victim.example',
  'victim',
  'victim%victim.example',
  'victim.example!victim',
  '"victim@victim.example"',
  '',
  ' victim@victim.example',
  '"victim"@victim.example',
  '""@victim.example',
  'victim@victim.example\\@local.example',
  'victim@local.example victim@victim.example',
];

/** Reverse-paths that pretend to be from here. */
const SENDERS = [
  '',
  'ann@local.example',
  'postmaster@local.example',
  'ann@routed.example',
  'ann@[127.0.0.1]',
];

/** What is local, however it looks: it goes into the Maildir, as it is, and nowhere else. */
const LOCAL_RECIPIENTS = [
  'victim%victim.example@local.example',
  'victim.example!victim@local.example',
  '"victim@victim.example"@local.example',
  '@victim.example:victim@local.example',
  'victim@LOCAL.example.',
  'Postmaster',
];

async function askEach(client: RawClient, recipients: readonly string[]): Promise<string[]> {
  const replies: string[] = [];
  for (const recipient of recipients) {
    const from = client.received.length;
    await client.say(`RCPT TO:<${recipient}>\r\n`, /^\d\d\d .*\r\n/m);
    replies.push(client.received.slice(from, from + 3));
  }
  return replies;
}

it(`no stranger relays by any of ${REFUSED_RECIPIENTS.length} forms, whoever they say they are`, async () => {
  expect(REFUSED_RECIPIENTS.length).toBeGreaterThanOrEqual(40);
  const hop = await nextHop();
  const server = await relay([
    ...['--domain', 'local.example', '--relay-from', '192.0.2.0/24', '--relay-from', 'unix'],
    ...['--route', `routed.example=127.0.0.1:${hop.port}`, '--route', `*=127.0.0.1:${hop.port}`],
    ...['--user', 'ann:secret', '--tls-self-signed', '--no-recipient-check'],
  ]);
  for (const [index, sender] of SENDERS.entries()) {
    const client = await greeted(server);
    await client.say(`EHLO local.example\r\nMAIL FROM:<${sender}>\r\n`, /^250 2\.1\.0/m);
    // Ten wrong commands in a row end a session: a good one stands between. All forms from one sender, some from the others.
    const forms = index === 0 ? REFUSED_RECIPIENTS : REFUSED_RECIPIENTS.filter((_, i) => i % 8 === index);
    const replies: string[] = [];
    for (let i = 0; i < forms.length; i += 5) {
      replies.push(...(await askEach(client, forms.slice(i, i + 5))));
      await client.say('NOOP\r\n', /^250 /m);
    }
    const taken = forms.filter((_, i) => !/^5/.test(replies[i] ?? ''));
    expect(taken, sender).toEqual([]);
    await client.say(
      'RCPT TO:<victim@victim.example> NOTIFY=NEVER ORCPT=rfc822;a@local.example\r\n',
      /^550 5\.7\.1/m,
    );
    await client.say('DATA\r\n', /^(?:503|554) /m);
    client.socket.destroy();
  }

  const client = await greeted(server);
  await client.say('EHLO c\r\nMAIL FROM:<>\r\n', /^250 2\.1\.0/m);
  expect(await askEach(client, LOCAL_RECIPIENTS)).toEqual(LOCAL_RECIPIENTS.map(() => '250'));
  await client.say('DATA\r\n', /^354 /m);
  await client.say('a\r\n.\r\n', /^250 2\.0\.0/m);
  // All that is local is one delivery, <Postmaster> without a domain too.
  await expect.poll(async () => (await server.messages()).length, { timeout: 20_000 }).toBe(1);
  const headers = (await server.messages()).map(({ header }) => header).join('');
  expect(headers.match(/^Delivered-To:/gm)).toHaveLength(LOCAL_RECIPIENTS.length);
  expect(await server.listed()).toEqual([]);
  expect(hop.got).toEqual([]);
});

it('a proxy that names no client, and a Unix peer behind it, may not relay', async () => {
  const server = await relay([
    '--relay-from',
    '127.0.0.0/8',
    '--relay-from',
    '192.0.2.0/24',
    '--proxy-protocol',
  ]);
  const rcpt = 'EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<victim@victim.example>\r\n';
  const reply = async (header: string) => {
    const client = await greeted({ port: server.port }, header);
    await client.say(rcpt, /^(?:550 5\.7\.1|250 2\.1\.5)/m);
    return client.received.includes('250 2.1.5');
  };
  expect(await reply('PROXY UNKNOWN\r\n')).toBe(false);
  expect(await reply('PROXY TCP4 198.51.100.1 127.0.0.1 1 25\r\n')).toBe(false);
  expect(await reply('PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\n')).toBe(false);
  expect(await reply('PROXY TCP4 192.0.2.7 127.0.0.1 1 25\r\n')).toBe(true);
});
