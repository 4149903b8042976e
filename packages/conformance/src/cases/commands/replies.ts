/** The form of replies (RFC 5321 §4.2) and of enhanced status codes (RFC 2034, RFC 3463), for each kind of command. */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { type SeenReply, shown } from '../../dialogue/seen-reply.js';
import { filled, nothingMore } from '../judging.js';

/** A way to make the server reply. */
interface Occasion {
  readonly name: string;
  readonly what: string;
  readonly needs?: ConformanceCase['needs'];
  readonly get: (target: Target) => Promise<readonly [SeenReply, Dialogue]>;
}

type Place = 'greeted' | 'hello' | 'ready' | 'mailed' | 'addressed';

const said = (
  name: string,
  what: string,
  place: Place,
  line: string | ((target: Target) => string),
  needs?: ConformanceCase['needs'],
): Occasion => ({
  name,
  what,
  ...(needs && { needs }),
  async get(target) {
    const dialogue = await target[place]();
    return [await dialogue.ask(typeof line === 'string' ? line : line(target), 'any'), dialogue];
  },
});

const MAIL = ['mail'] as const;

const GREETING: Occasion = {
  name: 'greeting',
  what: 'The greeting',
  async get(target) {
    const dialogue = await target.connect();
    return [await dialogue.reply('any'), dialogue];
  },
};
const EHLO = said('ehlo', 'The reply to EHLO', 'greeted', (target) => target.helloLine);
const HELO = said('helo', 'The reply to HELO', 'greeted', 'HELO probe.invalid', ['smtp']);
const DATA = said('data', 'The reply to DATA', 'addressed', 'DATA', MAIL);

/** Replies that have an enhanced status code where it is offered. */
const CODED: readonly Occasion[] = [
  said('mail', 'The reply to MAIL', 'ready', (target) => target.mail(), MAIL),
  said('mail-malformed', 'The refusal of a malformed MAIL', 'ready', 'MAIL FROM:<x', MAIL),
  said(
    'mail-parameter',
    'The refusal of an unknown parameter',
    'ready',
    (target) => target.mail('XPROBE=1'),
    MAIL,
  ),
  said('mail-nested', 'The refusal of a nested MAIL', 'mailed', (target) => target.mail(), MAIL),
  said('rcpt', 'The reply to RCPT', 'mailed', (target) => target.rcpt(), MAIL),
  said('rcpt-malformed', 'The refusal of a malformed RCPT', 'mailed', 'RCPT TO:<x', MAIL),
  said('rcpt-out-of-order', 'The refusal of RCPT before MAIL', 'ready', (target) => target.rcpt(), MAIL),
  said('data-out-of-order', 'The refusal of DATA before MAIL', 'ready', 'DATA', MAIL),
  {
    name: 'message',
    what: 'The reply to the end of the message',
    needs: MAIL,
    async get(target) {
      const dialogue = await target.receiving();
      dialogue.send(`${testMessage(target)}.\r\n`);
      return [await dialogue.reply('any'), dialogue];
    },
  },
  said('rset', 'The reply to RSET', 'hello', 'RSET'),
  said('noop', 'The reply to NOOP', 'hello', 'NOOP'),
  said('vrfy', 'The reply to VRFY', 'ready', 'VRFY postmaster'),
  said('vrfy-without-argument', 'The refusal of VRFY without an argument', 'ready', 'VRFY'),
  said('expn', 'The reply to EXPN', 'ready', 'EXPN staff'),
  said('help', 'The reply to HELP', 'hello', 'HELP'),
  said('unknown', 'The refusal of an unknown command', 'hello', 'XPROBE'),
  said('empty', 'The reply to an empty line', 'hello', ''),
  said('ehlo-malformed', 'The refusal of EHLO without a name', 'greeted', (target) =>
    target.helloLine.slice(0, 4),
  ),
  said('quit', 'The reply to QUIT', 'hello', 'QUIT'),
];

/** Replies that may quote what the client said, however long it was. */
const QUOTING: readonly Occasion[] = [
  said('long-unknown', 'The refusal of a long unknown command', 'hello', `X${filled(500)}`),
  said(
    'long-ehlo',
    'The reply to EHLO with a long name',
    'greeted',
    (target) => `${target.helloLine.slice(0, 5)}${filled(500)}`,
  ),
  said('long-vrfy', 'The reply to a long VRFY', 'ready', `VRFY ${filled(500)}`),
  said('long-rcpt', 'The refusal of a long malformed RCPT', 'mailed', `RCPT TO:<${filled(490)}`, MAIL),
  said('long-mail', 'The refusal of a long malformed MAIL', 'ready', `MAIL FROM:<${filled(490)}`, MAIL),
  said('long-help', 'The reply to HELP with a long argument', 'hello', `HELP ${filled(500)}`),
  said('eight-bit-unknown', 'The refusal of a command in UTF-8', 'hello', 'BÜCHER'),
  said('control-characters', 'The refusal of a command with control characters', 'hello', 'X\x1b[2J\x07'),
];

const ALL: readonly Occasion[] = [GREETING, EHLO, HELO, DATA, ...CODED];

/** A demand on a reply; throws if it is not met. */
type Judge = (reply: SeenReply, dialogue: Dialogue) => void | Promise<void>;

const demand = (
  occasions: readonly Occasion[],
  name: string,
  section: string,
  rationale: (what: string) => string,
  judge: Judge,
  more: Partial<ConformanceCase> = {},
): ConformanceCase[] =>
  occasions.map((occasion) => ({
    id: `replies/${occasion.name}-${name}`,
    section,
    level: 'MUST',
    rationale: rationale(occasion.what),
    ...more,
    needs: [...(occasion.needs ?? []), ...(more.needs ?? [])],
    async run(target) {
      const [reply, dialogue] = await occasion.get(target);
      await judge(reply, dialogue);
    },
  }));

function hasNoFlaws(reply: SeenReply): void {
  const [flaw] = reply.flaws;
  if (flaw !== undefined) throw new Deviation(`${flaw}: ${shown(reply)}`);
  const text = [...reply.octets].find((octet) => octet >= 0x80);
  if (text !== undefined) throw new Deviation(`the reply is not in ASCII: ${shown(reply)}`);
}

function hasDefinedCode(reply: SeenReply): void {
  if (!/^[2-5][0-5]\d$/.test(String(reply.code)))
    throw new Deviation(`the code is not in the grammar: ${shown(reply)}`);
}

/** RFC 2034 §4: the code stands at the beginning of each line, and its class is that of the reply. */
function hasEnhancedCode(reply: SeenReply): void {
  if (reply.code === 421 && reply.enhancedCode === undefined)
    throw new CannotJudge('the server announced a limit');
  for (const line of reply.lines) {
    const [, status] = /^([245]\.(?:0|[1-9]\d{0,2})\.(?:0|[1-9]\d{0,2}))(?: |$)/.exec(line) ?? [];
    if (status === undefined) throw new Deviation(`a line has no enhanced status code: ${shown(reply)}`);
    if (status[0] !== String(reply.code)[0]) throw new Deviation(`the classes differ: ${shown(reply)}`);
    if (status !== reply.enhancedCode) throw new Deviation(`the lines have different codes: ${shown(reply)}`);
  }
}

function hasNoEnhancedCode(reply: SeenReply): void {
  const coded = reply.lines.find((line) => /^[245]\.\d{1,3}\.\d{1,3}(?: |$)/.test(line));
  if (coded !== undefined) throw new Deviation(`it has an enhanced status code: ${shown(reply)}`);
}

const offersAreLines: ConformanceCase[] = [
  {
    id: 'replies/ehlo-lines',
    section: 'RFC 5321 §4.1.1.1',
    level: 'MUST',
    rationale: 'Each line of the reply to EHLO after the first is a keyword, with parameters after a blank.',
    async run(target) {
      const reply = await (await target.greeted()).ask(target.helloLine, '250');
      const odd = reply.lines
        .slice(1)
        .find((line) => !/^[\dA-Za-z][\dA-Za-z-]*(?: [!-~]+)*$/.test(line) && !/^AUTH=/.test(line));
      if (odd !== undefined) throw new Deviation(`this is no ehlo-line: ${odd}`);
    },
  },
  {
    id: 'replies/ehlo-keywords-stand-once',
    section: 'RFC 5321 §4.1.1.1',
    level: 'INTEROP',
    rationale: 'A keyword stands in one line: which of two counts, clients do not agree on.',
    async run(target) {
      const reply = await (await target.greeted()).ask(target.helloLine, '250');
      const keywords = reply.lines.slice(1).map((line) => line.split(' ')[0]?.toUpperCase());
      const twice = keywords.find((keyword, index) => keywords.indexOf(keyword) !== index);
      if (twice !== undefined) throw new Deviation(`${twice} stands twice`);
    },
  },
  {
    id: 'replies/ehlo-offers-the-same-again',
    section: 'RFC 5321 §4.1.4',
    level: 'INTEROP',
    rationale: 'EHLO said again, with nothing in between, offers the same.',
    async run(target) {
      const dialogue = await target.hello();
      const first = [...dialogue.offers.keys()].sort().join(' ');
      await dialogue.hello(target.helloLine);
      const second = [...dialogue.offers.keys()].sort().join(' ');
      if (first !== second) throw new Deviation(`first it offered ${first}; then ${second}`);
    },
  },
];

export const replies: CaseGroup = {
  name: 'replies',
  title: 'The form of replies',
  introduction:
    'Lines, codes and enhanced status codes of what the server says, for each kind of command (RFC 5321 §4.2, RFC 2034, RFC 3463).',
  remedy:
    'Write each reply in one place: the same code on each line, text in printable ASCII, 512 octets a line, CRLF.',
  cases: [
    ...demand(
      [...ALL, ...QUOTING],
      'form',
      'RFC 5321 §4.2',
      (what) => `${what} has one code on all its lines, text in ASCII, at most 512 octets a line, and CRLF.`,
      hasNoFlaws,
    ),
    ...demand(
      ALL,
      'code',
      'RFC 5321 §4.2',
      (what) => `${what} has a code of the grammar: 2 to 5, 0 to 5, and a digit.`,
      hasDefinedCode,
    ),
    ...demand(
      [...CODED, ...QUOTING],
      'enhanced-code',
      'RFC 2034 §4',
      (what) => `${what} has an enhanced status code on each line, the same, and of the reply's class.`,
      hasEnhancedCode,
      {
        needs: ['ENHANCEDSTATUSCODES'],
        remedy:
          'Put the enhanced status code at the beginning of each line of 2yz, 4yz and 5yz, its class the first digit.',
      },
    ).filter(({ id }) => !/long-ehlo|ehlo-malformed/.test(id)),
    ...demand(
      [GREETING, EHLO, HELO],
      'has-no-enhanced-code',
      'RFC 2034 §4',
      (what) => `${what} has no enhanced status code: the client does not know yet that there are any.`,
      hasNoEnhancedCode,
    ),
    ...demand(
      [DATA],
      'has-no-enhanced-code',
      'RFC 2034 §4',
      (what) => `${what} has none either: no class goes with 3yz.`,
      hasNoEnhancedCode,
    ),
    ...demand(
      [EHLO, HELO, DATA, ...CODED.filter(({ name }) => name !== 'quit' && name !== 'message')],
      'comes-once',
      'RFC 5321 §4.2',
      (what) => `${what} is one: whatever else came would be taken for the next one.`,
      async (reply, dialogue) => {
        if (reply.code === 421) return;
        // After 354 comes the message, and QUIT would be its text.
        if (reply.code === 354) await dialogue.silence();
        else await nothingMore(dialogue);
      },
    ),
    ...offersAreLines,
  ],
};
