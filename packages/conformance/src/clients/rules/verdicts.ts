/** What a client may say of a message, by what the server has said of it (RFC 5321 §4.2, §6.1). */
import { type Connection, type Exchange, is2, is4, is5, latin1, pathIn } from '../conversation.js';
import type { Judge, Seen } from '../judging.js';

/** What became of each recipient, as the server saw it. */
interface Fate {
  /** The server took the message for it. */
  readonly taken: boolean;
  /** The last reply that was about it alone, or about the whole message. */
  readonly refusal: number | undefined;
}

/** Nothing was said, or less than a line of a reply: who reads that for one does not wait for its end (RFC 5321 §2.3.8). */
const isHalf = (said: string): boolean => !said.includes('\n');

/** Octets that are no reply. A liberal client may have read one. */
const isUnreadable = ({ said, code }: Exchange): boolean => code === undefined && !isHalf(said);

/** Several replies, each of them well-formed: only the first was asked for. */
const isSeveral = ({ said }: Exchange): boolean =>
  (said.match(/^[2-5]\d\d(?: .*)?\r\n/gm)?.join('') ?? '') === said;

function isIndividual(task: Seen['task']): boolean {
  return task.setup === 'lmtp';
}

/** The recipients of a transaction that were accepted, by their place in the task. */
function fatesIn(connection: Connection, seen: Seen, fates: Map<number, Fate>): void {
  const { task } = seen;
  let accepted: number[] = [];
  let replied = 0;
  let isOpen = true;
  const refuse = (index: number, code: number) => {
    if (!fates.get(index)?.taken) fates.set(index, { taken: false, refusal: code });
  };
  const conclude = ({ code, said }: Exchange, indexes: readonly number[]) => {
    for (const index of indexes) {
      if (is2(code)) fates.set(index, { taken: true, refusal: undefined });
      else if (code !== undefined) refuse(index, code);
      else if (isHalf(said)) fates.set(index, { taken: false, refusal: undefined });
    }
  };
  for (const exchange of connection) {
    const { moment, code, line } = exchange;
    if (moment === 'MAIL') {
      accepted = [];
      replied = 0;
      isOpen = code === undefined || code < 400;
    }
    // What follows a refused MAIL in its group is refused for want of a transaction, and says nothing of a recipient.
    if (moment === 'RCPT' && isOpen) {
      const index = task.to.indexOf(pathIn(line) ?? '');
      if (index < 0) continue;
      if (is2(code)) accepted.push(index);
      else if (code !== undefined) refuse(index, code);
    }
    if (moment === 'message') {
      const own = accepted[replied++];
      conclude(exchange, isIndividual(task) ? (own === undefined ? [] : [own]) : accepted);
    }
    const concernsAll = [
      'greeting',
      'EHLO',
      'HELO',
      'LHLO',
      'STARTTLS',
      'AUTH',
      'MAIL',
      'DATA',
      'BDAT',
    ].includes(moment);
    if (concernsAll && code !== undefined && code >= 400) {
      const indexes = moment === 'DATA' || moment === 'BDAT' ? accepted : task.to.map((_, index) => index);
      for (const index of indexes) refuse(index, code);
    }
  }
}

function fatesOf(seen: Seen): readonly Fate[] {
  const fates = new Map<number, Fate>();
  for (const connection of seen.connections) fatesIn(connection, seen, fates);
  return seen.task.to.map((_, index) => fates.get(index) ?? { taken: false, refusal: undefined });
}

const isMuddled = ({ connections }: Seen): boolean => connections.flat().some(isUnreadable);

/**
 * Whether the server may seem to have taken the message, to a client that reads what is no reply as it likes. What comes
 * before it is asked for is none in any case (RFC 5321 §4.2).
 */
const seemsTaken = (seen: Seen): boolean =>
  seen.connections
    .flat()
    .some((exchange) => isUnreadable(exchange) && !(isSeveral(exchange) && exchange.moment !== 'message'));

/** RFC 5321 §4.2.5, §6.1: delivered is what the server has taken, by 2yz to the end of the message. */
export const deliveredIsTaken: Judge = (seen) => {
  if (seemsTaken(seen)) return undefined;
  const fates = fatesOf(seen);
  const index = seen.report.verdicts.findIndex((verdict, at) => verdict === 'delivered' && !fates[at]?.taken);
  return index < 0
    ? undefined
    : `it says that ${seen.task.to[index]} got the message; the server did not take it`;
};

/** RFC 5321 §4.2.1: lines of a reply that disagree are no success, as long as the last one is a refusal. */
export const disagreementIsNoSuccess: Judge = ({ connections, report }) => {
  const replies = connections.flat().filter(({ moment }) => moment === 'message');
  const [only] = replies;
  if (only === undefined || replies.length > 1) return undefined;
  const isSplit = /^2\d\d-[^\r\n]*\r\n[45]\d\d /.test(only.said);
  return isSplit && report.verdicts.includes('delivered')
    ? 'it says that the message was delivered; the last line of the reply refused it'
    : undefined;
};

/** RFC 5321 §4.2.5: the server has it, and answers for it: to send it again doubles it. */
export const takenIsDelivered: Judge = (seen) => {
  if (isMuddled(seen) || seen.report.unfinished) return undefined;
  const fates = fatesOf(seen);
  if (!seen.report.each && !fates.every(({ taken }) => taken)) return undefined;
  const index = fates.findIndex(({ taken }, at) => taken && seen.report.verdicts[at] !== 'delivered');
  if (index < 0) return undefined;
  return `the server took the message for ${seen.task.to[index]}; the client says: ${seen.report.verdicts[index]}`;
};

/** RFC 1870 §6.1: the client need not send what is beyond the declared limit. */
const isTooLarge = ({ connections, task }: Seen): boolean =>
  connections.flat().some(({ offers }) => {
    const limit = Number(offers.get('SIZE') ?? 0);
    return limit > 0 && limit < task.message.length;
  });

/** RFC 5321 §4.2.1: refused for good is what was answered by 5yz, and nothing else. */
export const rejectedIsRefused: Judge = (seen) => {
  if (isMuddled(seen) || isTooLarge(seen)) return undefined;
  const fates = fatesOf(seen);
  const codes = seen.connections.flat().map(({ code }) => code);
  const index = seen.report.verdicts.findIndex((verdict, at) => {
    if (verdict !== 'rejected') return false;
    const { taken = false, refusal } = fates[at] ?? {};
    return taken || is4(refusal) || !(is5(refusal) || codes.some(is5));
  });
  if (index < 0) return undefined;
  const { refusal } = fates[index] ?? {};
  return `it says that ${seen.task.to[index]} is refused for good; the server said ${refusal ?? 'nothing of the kind'}`;
};

/** RFC 5321 §4.2.1: what was answered by 5yz is not to be tried again. 552 to RCPT may mean 452 (§4.5.3.1.10). */
export const refusedIsRejected: Judge = (seen) => {
  if (isMuddled(seen) || seen.report.unfinished || !seen.report.each) return undefined;
  const fates = fatesOf(seen);
  const last = seen.connections.at(-1)?.findLast(({ moment }) => moment !== 'closed');
  if (last?.said === '' || last?.code === 421) return undefined;
  const index = fates.findIndex(({ refusal }, at) => {
    const verdict = seen.report.verdicts[at];
    return is5(refusal) && refusal !== 552 && (verdict === 'deferred' || verdict === 'unknown');
  });
  if (index < 0) return undefined;
  const code = fates[index]?.refusal;
  return `the server said ${code} to ${seen.task.to[index]}; the client says: ${seen.report.verdicts[index]}`;
};

/** A message that any server takes, to addresses that it takes, where what they need is offered. */
function isWelcome({ connections, task, stranger }: Seen): boolean {
  const text = latin1(task.message);
  const offered =
    connections.flat().findLast(({ moment }) => moment === 'MAIL' || moment === 'QUIT')?.offers ?? new Map();
  const limit = Number(offered.get('SIZE') ?? 0);
  const needs: readonly boolean[] = [
    !stranger,
    !/\r(?!\n)|(?<!\r)\n|\0/.test(text),
    text.split('\r\n').every((line) => line.length <= 998),
    !/[\x80-\xff]/.test(text) || offered.has('8BITMIME'),
    !/[^\0-\x7f]/.test([task.from, ...task.to].join('')) || offered.has('SMTPUTF8'),
    limit === 0 || text.length <= limit,
  ];
  return needs.every(Boolean);
}

/** TLS and a login were to be had, as far as the client was told to want them. */
function canBegin({ connections, task: { setup } }: Seen): boolean {
  const all = connections.flat();
  if (setup === 'plain' || setup === 'lmtp' || setup === 'implicitTls') return true;
  const isSecured = all.some(({ moment, code }) => moment === 'STARTTLS' && code === 220);
  const isIn = all.some(({ moment, code }) => moment === 'AUTH' && code === 235);
  return isSecured && (setup !== 'login' || isIn);
}

/** Nothing that was said refuses anything, or is no reply, or ends the connection. What is said to QUIT decides nothing. */
const isFriendly = ({ connections }: Seen): boolean =>
  connections.length === 1 &&
  // Else a command was left without a reply.
  connections[0]?.at(-1)?.sent === '' &&
  connections
    .flat()
    .filter(({ moment }) => moment !== 'closed' && moment !== 'QUIT')
    .every(({ moment, code, ended }) => {
      const goesOn = { DATA: 354, AUTH: 334, STARTTLS: 220, greeting: 220 }[moment as string];
      return (
        !ended &&
        code !== undefined &&
        (code === goesOn || (is2(code) && moment !== 'DATA' && moment !== 'greeting'))
      );
    });

/** RFC 5321 §3.3, §4.2.1: what a server takes, by any reply of 2yz, the client brings. */
export const friendlyServerGetsIt: Judge = (seen) => {
  if (!isFriendly(seen) || !isWelcome(seen) || !canBegin(seen) || seen.report.unfinished) return undefined;
  const index = seen.report.verdicts.findIndex((verdict) => verdict !== 'delivered');
  return index < 0
    ? undefined
    : `the server refused nothing; the client says of ${seen.task.to[index]}: ${seen.report.verdicts[index]}`;
};
