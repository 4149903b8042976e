/** What real clients send: the exact lines of well-known programs, and of what connects by mistake. */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import { Deviation } from '../../dialogue/findings.js';
import { accepts, goesOn, octets, understands } from '../judging.js';

/** A whole delivery as a program speaks it: each line with what it gets. */
interface Delivery {
  readonly program: string;
  readonly name: string;
  readonly needs: ConformanceCase['needs'];
  readonly lines: (target: Target) => readonly (readonly [string, string])[];
}

const size = (target: Target): number => octets(testMessage(target)).length;

const DELIVERIES: readonly Delivery[] = [
  {
    program: 'Postfix',
    name: 'postfix',
    needs: ['SIZE', '8BITMIME'],
    lines: (target) => [
      [`MAIL FROM:<${target.from}> SIZE=${size(target)} BODY=8BITMIME`, '250'],
      [target.rcpt(), '250 or 251'],
      ['DATA', '354'],
    ],
  },
  {
    program: 'Exim',
    name: 'exim',
    needs: ['SIZE'],
    lines: (target) => [
      [`MAIL FROM:<${target.from}> SIZE=${size(target) + 1000}`, '250'],
      [target.rcpt(), '250 or 251'],
      ['DATA', '354'],
    ],
  },
  {
    program: "Python's smtplib",
    name: 'smtplib',
    needs: ['SIZE'],
    lines: (target) => [
      [`mail FROM:<${target.from}> size=${size(target)}`, '250'],
      [`rcpt TO:<${target.to}>`, '250 or 251'],
      ['data', '354'],
    ],
  },
  {
    program: 'The program curl',
    name: 'curl',
    needs: ['SIZE'],
    lines: (target) => [
      [`MAIL FROM:<${target.from}> SIZE=${size(target)}`, '250'],
      [`RCPT TO:<${target.to}>`, '250 or 251'],
      ['DATA', '354'],
    ],
  },
  {
    program: 'Outlook',
    name: 'rset-before-mail',
    needs: [],
    lines: (target) => [
      ['RSET', '250'],
      [target.mail(), '250'],
      [target.rcpt(), '250 or 251'],
      ['DATA', '354'],
    ],
  },
  {
    program: 'A sender of notifications',
    name: 'notification',
    needs: [],
    lines: (target) => [
      ['MAIL FROM:<>', '250'],
      [target.rcpt(), '250 or 251'],
      ['DATA', '354'],
    ],
  },
  {
    program: 'A client with a pool of connections',
    name: 'pool',
    needs: [],
    lines: (target) => [
      ['NOOP', '250'],
      [target.mail(), '250'],
      [target.rcpt(), '250 or 251'],
      ['RSET', '250'],
      [target.mail(), '250'],
      [target.rcpt(), '250 or 251'],
      ['DATA', '354'],
    ],
  },
];

const deliveries: ConformanceCase[] = DELIVERIES.map(({ program, name, needs = [], lines }) => ({
  id: `real-clients/${name}`,
  section: 'RFC 5321 §3.3',
  level: 'INTEROP',
  rationale: `${program} delivers a message in these words.`,
  needs: ['mail', ...needs],
  async run(target) {
    const dialogue = await target.ready();
    for (const [line, expected] of lines(target)) await dialogue.ask(line, expected);
    dialogue.send(`${testMessage(target)}.\r\n`);
    await dialogue.reply('250');
    await dialogue.ask('QUIT', '221');
  },
}));

/** name, argument of EHLO, who says it */
const NAMES: readonly (readonly [string, string, string])[] = [
  ['localhost', 'localhost', 'Many an application'],
  ['localdomain', 'localhost.localdomain', 'Many a Linux machine'],
  ['windows', 'DESKTOP-4F2K8QJ', 'A Windows machine'],
  ['underscore', 'my_pc.invalid', 'A machine whose owner named it so'],
  ['container', '4f2b8a9c1d3e', 'A container'],
  ['kubernetes', 'mailer-6d4cf56db6-abcde', 'A pod of Kubernetes'],
  ['private-literal', '[192.168.1.7]', 'Thunderbird'],
  ['loopback-literal', '[127.0.0.1]', 'Where the machine has no name, nodemailer'],
  ['ipv6-link-local', '[IPv6:fe80::1]', 'A client on a link-local address'],
];

const names: ConformanceCase[] = NAMES.map(([name, argument, who]) => ({
  id: `real-clients/ehlo-${name}`,
  section: 'RFC 5321 §4.1.4',
  level: 'INTEROP',
  rationale: `${who} says EHLO ${argument}; the name is no reason to refuse its mail.`,
  async run(target) {
    const dialogue = await target.greeted();
    await understands(dialogue, `${target.helloLine.slice(0, 4)} ${argument}`);
    await goesOn(dialogue);
  },
}));

/** name, octets, what they are, words whose success would be an attack */
const STRANGERS: readonly (readonly [string, string, string])[] = [
  ['http-get', 'GET / HTTP/1.1\r\nHost: probe.invalid\r\n\r\n', 'A browser asks for a page'],
  [
    'http-post',
    'POST / HTTP/1.1\r\nHost: probe.invalid\r\nContent-Length: 40\r\n\r\n',
    'A page in a browser posts mail commands',
  ],
  ['socks', '\x05\x01\x00', 'A scanner looks for a SOCKS proxy'],
  ['tls', '\x16\x03\x01\x00\x2e\x01\x00\x00\x2a\x03\x03\r\n', 'A client begins TLS where none is awaited'],
  ['ssh', 'SSH-2.0-OpenSSH_9.6\r\n', 'An SSH client has the wrong port'],
  ['imap', 'a001 CAPABILITY\r\n', 'An IMAP client has the wrong port'],
  [
    'proxy',
    'PROXY TCP4 192.0.2.1 192.0.2.2 4000 25\r\n',
    'A proxy that nobody trusts says for whom it speaks',
  ],
];

const strangers: ConformanceCase[] = STRANGERS.map(([name, text, what]) => ({
  id: `real-clients/${name}`,
  section: name === 'http-post' ? 'RFC 5321 §7.8' : 'RFC 5321 §4.2.4',
  level: name === 'proxy' ? 'SECURITY' : 'INTEROP',
  rationale: `${what}: it is refused line by line, or the connection is ended, and nothing is carried out.`,
  async run(target) {
    const dialogue = await target.greeted();
    dialogue.send(octets(text));
    const taken = (await dialogue.rest()).find(accepts);
    if (taken !== undefined) throw new Deviation(`a line was accepted by ${taken.code}`);
    await (await target.connect()).reply('220');
  },
}));

export const realClients: CaseGroup = {
  name: 'real-clients',
  title: 'What real clients send',
  introduction:
    'The words of well-known programs, health checks, and clients of other protocols that have the wrong port.',
  remedy: 'Take what these programs say; refuse or disconnect what speaks another protocol.',
  cases: [
    ...deliveries,
    ...names,
    {
      id: 'real-clients/health-check-quit',
      section: 'RFC 5321 §4.1.1.10',
      level: 'INTEROP',
      rationale: 'A monitor reads the greeting and says QUIT.',
      run: async (target) => void (await (await target.greeted()).ask('QUIT', '221')),
    },
    {
      id: 'real-clients/health-check-ehlo',
      section: 'RFC 5321 §4.1.1.10',
      level: 'INTEROP',
      rationale: 'A monitor says EHLO and QUIT.',
      run: async (target) => void (await (await target.hello()).ask('QUIT', '221')),
    },
    {
      id: 'real-clients/several-messages',
      section: 'RFC 5321 §3.3',
      level: 'INTEROP',
      rationale: 'A mailing list sends five messages in one session.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.ready();
        for (let message = 0; message < 5; message++) {
          await dialogue.ask(target.mail(), '250');
          await dialogue.ask(target.rcpt(), '250 or 251');
          await dialogue.ask('DATA', '354');
          dialogue.send(`${testMessage(target)}.\r\n`);
          await dialogue.reply('250');
        }
      },
    },
    {
      id: 'real-clients/verification-by-callout',
      section: 'RFC 5321 §4.1.1.5',
      level: 'INTEROP',
      rationale: 'A server that verifies a sender asks with <> whether the address exists, and goes.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.ask('MAIL FROM:<>', '250');
        await dialogue.ask(target.rcpt(), '250 or 251');
        await dialogue.ask('RSET', '250');
        await dialogue.ask('QUIT', '221');
      },
    },
    ...strangers,
  ],
};
