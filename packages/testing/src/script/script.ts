/**
 * What a scripted mail server says, step by step: a plain object that reads like the dialogue it makes.
 *
 * ```js
 * {
 *   offers: ['PIPELINING', 'SIZE 1000000'],
 *   RCPT: ['250 2.1.5 OK', '250 2.1.5 OK', '452 4.5.3 Too many recipients', '421 4.3.2 Going down'],
 *   message: { reply: '250 2.0.0 Stored', stall: { after: 8, for: 30_000 } },
 * }
 * ```
 *
 * Under each name stands one step, or a list: the first time the first, and so on; the last one repeats. What has no
 * name here is answered as a server does that takes everything.
 */
import { checkNames, nearestName } from '@sansmtp/core';

/** A reply: a line, or several that LF separates, with their codes; CRLF is added. 221 and 421 end the connection. */
export type ReplyText = string;

export interface StepDetails {
  /** Milliseconds before anything is sent. */
  readonly wait?: number;
  readonly reply?: ReplyText;
  /** Sent in the place of a reply, as they are, without CRLF. */
  readonly octets?: string | Uint8Array;
  /** Pauses after so many octets, for so many milliseconds. */
  readonly stall?: { readonly after: number; readonly for: number };
  /**
   * `drop` breaks the connection off; `end` ends it in order; `stay` leaves it open, after 221 and 421 as well;
   * `failHandshake` ends the TLS handshake that follows by an alert.
   * @default `end` after a reply of 221 or 421, else `stay`
   */
  readonly ending?: 'drop' | 'end' | 'stay' | 'failHandshake';
}

/** What the server does about one line of the client, or one message. `drop` and `end` do so without a reply. */
export type Step = ReplyText | 'drop' | 'end' | StepDetails | ((line: string) => ReplyText | StepDetails);

export type Steps = Step | readonly Step[];

/** The moments that have a name of their own; a name in capitals is a command's. */
export interface Script {
  /** The EHLO keywords of the default reply to EHLO and LHLO, with their parameters. */
  readonly offers?: readonly string[];
  readonly greeting?: Steps;
  /** After the final dot, or the last chunk of BDAT; in LMTP once for each recipient that was accepted. */
  readonly message?: Steps;
  readonly EHLO?: Steps;
  readonly HELO?: Steps;
  readonly LHLO?: Steps;
  /** Takes `offers`, or steps for EHLO or LHLO: a client says it where it is offered. */
  readonly STARTTLS?: Steps;
  /** AUTH, and each line of the client in its exchange, as long as the replies are 334. Takes `offers` likewise. */
  readonly AUTH?: Steps;
  readonly MAIL?: Steps;
  readonly RCPT?: Steps;
  readonly DATA?: Steps;
  /** Each chunk but the last. */
  readonly BDAT?: Steps;
  readonly RSET?: Steps;
  readonly NOOP?: Steps;
  readonly VRFY?: Steps;
  readonly EXPN?: Steps;
  readonly HELP?: Steps;
  readonly ETRN?: Steps;
  readonly QUIT?: Steps;
  /** Any other command. */
  readonly otherwise?: Steps;
}

/** A moment for which a script can have steps. */
export type Moment = Exclude<keyof Script, 'offers'>;

const MOMENTS: readonly Moment[] = [
  'greeting',
  'EHLO',
  'HELO',
  'LHLO',
  'STARTTLS',
  'AUTH',
  'MAIL',
  'RCPT',
  'DATA',
  'BDAT',
  'message',
  'RSET',
  'NOOP',
  'VRFY',
  'EXPN',
  'HELP',
  'ETRN',
  'QUIT',
  'otherwise',
];

/** The moment of a command. */
export function momentOf(verb: string): Moment {
  return MOMENTS.find((moment) => moment === verb) ?? 'otherwise';
}

export function stepsFor(script: Script, moment: Moment): readonly Step[] {
  const steps = script[moment];
  return steps === undefined ? [] : isList(steps) ? steps : [steps];
}

function isList(steps: Steps): steps is readonly Step[] {
  return Array.isArray(steps);
}

/** A step, a function already asked. */
export function detailsOf(step: Step, line: string, where: string): StepDetails {
  const said = typeof step === 'function' ? step(line) : step;
  if (typeof step === 'function') checkStep(said, where);
  if (said === 'drop' || said === 'end') return { ending: said };
  return typeof said === 'string' ? { reply: said } : said;
}

/**
 * @throws {TypeError} a name is not known, or a step is none
 * @throws {RangeError} a number is out of its range
 */
export function checkScript(script: Script): void {
  checkNames('The part', script, ['offers', ...MOMENTS]);
  const { offers } = script;
  if (offers !== undefined && !(Array.isArray(offers) && offers.every((each) => typeof each === 'string'))) {
    throw new TypeError("The part offers takes EHLO keywords: ['PIPELINING', 'SIZE 1000000']");
  }
  for (const moment of MOMENTS) {
    const steps = stepsFor(script, moment);
    for (const [index, step] of steps.entries()) checkStep(step, `${moment}[${index}]`);
    if (steps.length === 0 && script[moment] !== undefined) {
      throw new TypeError(`The part ${moment} is an empty list; leave it out for the usual replies`);
    }
  }
  for (const keyword of NEGOTIATED) checkOffered(script, keyword);
}

/** What a client negotiates right after EHLO, where that is offered. Each keyword is its command's name, too. */
const NEGOTIATED = ['STARTTLS', 'AUTH'] as const;

/** Steps that no client comes to would make a test pass, whatever the client does. */
function checkOffered(script: Script, keyword: (typeof NEGOTIATED)[number]): void {
  const { offers, EHLO, LHLO } = script;
  if (script[keyword] === undefined || offers !== undefined || EHLO !== undefined || LHLO !== undefined)
    return;
  const offered = keyword === 'AUTH' ? 'AUTH PLAIN' : keyword;
  throw new TypeError(
    `The script has steps for ${keyword}, which it does not offer: give offers: ['${offered}'], or a reply to EHLO of your own; ` +
      'offers: [] for clients that say it all the same',
  );
}

const DETAIL_NAMES = ['wait', 'reply', 'octets', 'stall', 'ending'] as const;
const ENDINGS = ['drop', 'end', 'stay', 'failHandshake'];

function checkStep(step: unknown, where: string): void {
  if (typeof step === 'function' || step === 'drop' || step === 'end') return;
  if (typeof step === 'string') {
    checkReply(step, where);
    return;
  }
  if (typeof step !== 'object' || step === null) {
    throw new TypeError(
      `${where} is ${String(step)}; a step is a reply such as '250 OK', 'drop', 'end' or an object`,
    );
  }
  checkNames('The part', step, DETAIL_NAMES, `${where}.`);
  const { wait, reply, octets, stall, ending } = step as StepDetails;
  checkMilliseconds(wait, `${where}.wait`);
  if (reply !== undefined) checkReply(reply, `${where}.reply`);
  if (reply !== undefined && octets !== undefined) {
    throw new TypeError(`${where} has a reply and octets; it can send one of them`);
  }
  if (octets !== undefined && typeof octets !== 'string' && !(octets instanceof Uint8Array)) {
    throw new TypeError(`${where}.octets takes text, or a Uint8Array`);
  }
  if (stall !== undefined) {
    checkNames('The part', stall, ['after', 'for'], `${where}.stall.`);
    checkMilliseconds(stall.for, `${where}.stall.for`);
    if (!Number.isSafeInteger(stall.after) || stall.after < 0) {
      throw new RangeError(`${where}.stall.after is ${stall.after}; it takes octets from 0 on`);
    }
  }
  if (ending !== undefined && !ENDINGS.includes(ending)) {
    const nearest = nearestName(String(ending), ENDINGS);
    throw new TypeError(
      `${where}.ending is ${JSON.stringify(ending)}; ${nearest ? `did you mean ${nearest}?` : `it takes ${ENDINGS.join(', ')}`}`,
    );
  }
}

function checkReply(reply: unknown, where: string): void {
  if (typeof reply === 'string' && reply.split('\n').every((line) => /^[2-5]\d\d(?:[ -]|$)/.test(line)))
    return;
  throw new TypeError(
    `${where} is ${JSON.stringify(reply)}; each line of a reply begins with its code, as in '250 OK'. Use octets for anything else`,
  );
}

function checkMilliseconds(value: number | undefined, where: string): void {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY))
    return;
  throw new RangeError(`${where} is ${value}; it takes milliseconds from 0 on`);
}
