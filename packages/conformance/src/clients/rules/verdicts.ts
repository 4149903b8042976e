/** What a client may say of a message, by what the server has said of it (RFC 5321 §4.2, §6.1). */
import { type Connection, type Exchange, is2, is4, is5, pathIn } from '../conversation.js';
import type { Judge, Seen } from '../judging.js';

/** What became of each recipient, as the server saw it. */
interface Fate {
  /** The server took the message for it. */
  readonly taken: boolean;
  /** The last reply that was about it alone, or about the whole message. */
  readonly refusal: number | undefined;
}

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
      else if (said === '') fates.set(index, { taken: false, refusal: undefined });
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

/** Octets that are no reply were said: then a liberal client may have read one. */
const isMuddled = ({ connections }: Seen): boolean =>
  connections.flat().some(({ said, code }) => said !== '' && code === undefined);

/** RFC 5321 §4.2.5, §6.1: delivered is what the server has taken, by 2yz to the end of the message. */
export const deliveredIsTaken: Judge = (seen) => {
  if (isMuddled(seen)) return undefined;
  const fates = fatesOf(seen);
  const index = seen.report.verdicts.findIndex((verdict, at) => verdict === 'delivered' && !fates[at]?.taken);
  return index < 0
    ? undefined
    : `it says that ${seen.task.to[index]} got the message; the server did not take it`;
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
