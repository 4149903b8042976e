/** What a server may reply to a message, whole after DATA or in chunks of BDAT (RFC 5321 §4.1.1.4, RFC 3030, RFC 2033). */
import type { ReadCommand } from './command-grammar.js';
import { hasLongLine, isEightBit, isMalformed, readMailData } from './mail-data.js';
import {
  type Answer,
  type Expectation,
  moved,
  type ServerFacts,
  type ServerModelState,
  type StoredMessage,
} from './server-state.js';

/** Mail data with its final dot. */
export function replyToMailData(
  state: ServerModelState,
  facts: ServerFacts,
  octets: Uint8Array,
): Expectation {
  const { content = octets } = readMailData(octets);
  return message(moved(state, { phase: 'serving' }), facts, content);
}

/** A whole message: one reply, and with LMTP one for each recipient (RFC 2033 §4.2). */
function message(state: ServerModelState, facts: ServerFacts, content: Uint8Array): Expectation {
  const { transaction } = state;
  const ended = moved(state, { transaction: undefined });
  if (transaction === undefined || transaction.recipients.length === 0) {
    const clause = 'RFC 5321 §3.3: without a recipient there is nothing to take';
    return { clause, answers: [{ codes: '4yz or 5yz', next: () => ended }] };
  }
  const { from, recipients, binary } = transaction;
  const malformed = !binary && isMalformed(content);
  const stored: StoredMessage = { from, recipients, content, malformed };
  const fate = fateOf(state, facts, content, malformed);
  if (facts.protocol !== 'lmtp') return verdict(ended, stored, recipients, fate, facts);
  return report(ended, stored, recipients, [], fate, facts);
}

/** What becomes of a message: it is taken, it is refused, or nobody can tell. */
type Fate = 'taken' | 'refused' | 'open';

function fateOf(
  { offers, transaction }: ServerModelState,
  { strict = false }: ServerFacts,
  content: Uint8Array,
  malformed: boolean,
): Fate {
  const limit = Number(offers.get('SIZE') || 0);
  if (!strict) return 'open';
  if (limit > 0 && content.length > limit) return 'refused';
  if (malformed) return 'refused';
  // Without SIZE a limit is not told: 64 KiB are taken in any case (RFC 5321 §4.5.3.1.7).
  if (limit === 0 && content.length > 65_536) return 'open';
  const binary = transaction?.binary === true;
  const odd = (isEightBit(content) && transaction?.eightBit !== true) || (!binary && hasLongLine(content));
  return odd ? 'open' : 'taken';
}

function codesFor(fate: Fate): { readonly yes: boolean; readonly no: boolean } {
  return { yes: fate !== 'refused', no: fate !== 'taken' };
}

function verdict(
  ended: ServerModelState,
  message: StoredMessage,
  recipients: readonly string[],
  fate: Fate,
  facts: ServerFacts,
): Expectation {
  const all = recipients.map((each) => facts.stores?.(each) ?? true);
  const { yes, no } = codesFor(fate);
  const answers: Answer[] = [];
  if (yes) answers.push({ codes: '250', next: () => ({ ...ended, stored: [...ended.stored, message] }) });
  if (no || all.includes(false)) answers.push({ codes: '4yz or 5yz', next: () => ended });
  return { clause: clauseOf(message, fate), answers };
}

const clauseOf = ({ malformed }: StoredMessage, fate: Fate): string => {
  if (fate === 'taken') return 'RFC 5321 §4.1.1.4, §4.5.3.1, RFC 1870 §6';
  return malformed ? 'RFC 5321 §2.3.8, §4.1.1.4' : 'RFC 5321 §4.2.5, RFC 1870 §6.3';
};

/** RFC 2033 §4.2, §4.3: in the order of the recipients. */
function report(
  ended: ServerModelState,
  message: StoredMessage,
  [recipient = '', ...rest]: readonly string[],
  takenBy: readonly string[],
  fate: Fate,
  facts: ServerFacts,
): Expectation {
  const next = (taken: readonly string[]): ServerModelState => {
    if (rest.length > 0) return { ...ended, due: report(ended, message, rest, taken, fate, facts) };
    const one = { ...message, recipients: taken };
    return { ...ended, stored: taken.length === 0 ? ended.stored : [...ended.stored, one] };
  };
  const stores = facts.stores?.(recipient) ?? true;
  const { yes, no } = codesFor(fate);
  const answers: Answer[] = [];
  if (yes && (stores || !facts.strict))
    answers.push({ codes: '250', next: () => next([...takenBy, recipient]) });
  if (no || !stores) answers.push({ codes: '4yz or 5yz', next: () => next(takenBy) });
  return { clause: 'RFC 2033 §4.2, §4.3', answers };
}

/** BDAT with its octets, which are read whatever the reply will be (RFC 3030 §2). */
export function chunk(
  state: ServerModelState,
  facts: ServerFacts,
  { form, argument }: ReadCommand,
  octets: Uint8Array,
): Expectation {
  const clause = 'RFC 3030 §2';
  const { transaction } = state;
  const refused: Answer = {
    codes: facts.strict === true ? '5yz' : '4yz or 5yz',
    next: () => moved(state),
  };
  const lost: Answer = { codes: refused.codes, next: () => moved(state, { phase: 'over' }) };
  // How many octets follow, nobody can tell.
  if (form === 'invalid') return { clause, answers: [refused, lost] };
  if (!state.offers.has('CHUNKING') || transaction === undefined || transaction.recipients.length === 0) {
    return { clause: `${clause}, RFC 5321 §3.3`, answers: [refused] };
  }
  const last = /LAST$/i.test(argument);
  if (transaction.failed) {
    const fails: Answer = { codes: '4yz or 5yz', next: () => moved(state) };
    return { clause, answers: last ? [fails, endedBy(state)] : [fails] };
  }
  const chunks = Uint8Array.from([...(transaction.chunks ?? []), ...octets]);
  if (last) return message(state, facts, chunks);
  const goesOn: Answer = {
    codes: '250',
    next: () => moved(state, { transaction: { ...transaction, chunks } }),
  };
  const fate = fateOf(state, facts, chunks, !transaction.binary && isMalformedSoFar(chunks));
  const failing: readonly Answer[] = [
    { codes: '4yz or 5yz', next: () => moved(state, { transaction: undefined }) },
    { codes: '4yz or 5yz', next: () => moved(state, { transaction: { ...transaction, failed: true } }) },
  ];
  return { clause: `${clause}: 250`, answers: fate === 'taken' ? [goesOn] : [goesOn, ...failing] };
}

const endedBy = (state: ServerModelState): Answer => ({
  codes: '4yz or 5yz',
  next: () => moved(state, { transaction: undefined }),
});

/** A CR at the very end may yet get its LF. */
function isMalformedSoFar(content: Uint8Array): boolean {
  return isMalformed(content.at(-1) === 0x0d ? content.slice(0, -1) : content);
}
