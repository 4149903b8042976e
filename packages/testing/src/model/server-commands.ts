/**
 * What a server may reply to each command, by where it stands (RFC 5321 §4.1, §4.3.2). Where the RFC leaves it open, there
 * are several answers, with a state each; two of the same code mean that the reply does not tell them apart.
 */
import { type ReadCommand, readCommand } from './command-grammar.js';
import { parametersForm } from './parameter-rules.js';
import { authenticationStep } from './server-authentication.js';
import { chunk } from './server-message.js';
import {
  type Answer,
  type Expectation,
  type ModelReply,
  moved,
  type ServerFacts,
  type ServerModelState,
  type Transaction,
} from './server-state.js';

/** RFC 5321 §4.5.3.1.8: so many have to be taken. */
const LEAST_RECIPIENTS = 100;

const EMPTY: Omit<Transaction, 'from'> = {
  recipients: [],
  chunks: undefined,
  binary: false,
  eightBit: false,
  utf8: false,
  failed: false,
};

/** What is the same wherever the session stands. */
const answer = (codes: string, state: ServerModelState, change: Partial<ServerModelState> = {}): Answer => ({
  codes,
  next: () => moved(state, change),
});

/** Refused, and nothing has changed. A liberal server may also say that it cannot at present. */
const refused = (state: ServerModelState, facts: ServerFacts, codes = '5yz'): Answer =>
  answer(facts.strict === true ? codes : '4yz or 5yz', state);

export function greeting(state: ServerModelState, facts: ServerFacts): Expectation {
  const served = answer('220', state, { phase: 'serving' });
  return {
    clause: 'RFC 5321 §3.1, §4.3.2',
    answers: facts.strict
      ? [served]
      : [served, answer('5yz', state, { phase: 'refused' }), answer('4yz', state, { phase: 'over' })],
  };
}

/** A command line; `octets` are those of a chunk behind BDAT. */
export function replyTo(
  state: ServerModelState,
  facts: ServerFacts,
  line: string,
  octets?: Uint8Array,
): Expectation {
  const command = readCommand(line);
  if (command.verb === 'QUIT' && command.form !== 'invalid') return quit(state, facts, command);
  if (state.phase === 'refused') {
    return { clause: 'RFC 5321 §3.1', answers: [refused(state, facts, '503 or 5yz')] };
  }
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return hello(state, facts, command);
    case 'MAIL':
      return mail(state, facts, command);
    case 'RCPT':
      return rcpt(state, facts, command);
    case 'DATA':
      return data(state, facts, command);
    case 'BDAT':
      return chunk(state, facts, command, octets ?? new Uint8Array());
    case 'RSET':
      return reset(state, facts, command);
    case 'NOOP':
      return lenient(state, facts, command, 'RFC 5321 §4.1.1.9', [answer('250', state)]);
    case 'VRFY':
    case 'EXPN':
    case 'HELP':
      return { clause: 'RFC 5321 §3.5, §4.1.1.6 to §4.1.1.8', answers: [answer('2yz or 4yz or 5yz', state)] };
    case 'STARTTLS':
      return startTls(state, facts, command);
    case 'AUTH':
      return auth(state, facts, command);
    default:
      return unknown(state, facts);
  }
}

/** An odd line may be refused as well, and one that is invalid is; a liberal server may take it all the same. */
function lenient(
  state: ServerModelState,
  facts: ServerFacts,
  { form }: Pick<ReadCommand, 'form'>,
  clause: string,
  accepting: readonly Answer[],
): Expectation {
  if (form === 'valid') return { clause, answers: accepting };
  const takes = form === 'odd' || facts.strict !== true;
  return { clause: `${clause}, §4.2.4`, answers: [...(takes ? accepting : []), refused(state, facts)] };
}

function quit(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  return lenient(state, facts, command, 'RFC 5321 §4.1.1.10', [answer('221', state, { phase: 'over' })]);
}

function reset(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  return lenient(state, facts, command, 'RFC 5321 §4.1.1.5', [
    answer('250', state, { transaction: undefined }),
  ]);
}

function unknown(state: ServerModelState, facts: ServerFacts): Expectation {
  // Verbs of extensions that the model does not know may be offered.
  const codes = facts.strict === true ? '500 or 502 or 503 or 501 or 550 or 554' : '2yz or 4yz or 5yz';
  return { clause: 'RFC 5321 §4.2.4: 500', answers: [answer(codes, state)] };
}

/** RFC 5321 §4.1.1.1: keywords, each with its parameters, after a line with the server's name. */
function offersOf({ lines }: ModelReply): Map<string, string> {
  return new Map(
    lines.slice(1).map((line) => {
      const [keyword = '', ...rest] = line.split(' ');
      return [keyword.toUpperCase(), rest.join(' ')];
    }),
  );
}

function hello(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  const { verb } = command;
  const lmtp = facts.protocol === 'lmtp';
  if (lmtp !== (verb === 'LHLO')) {
    return { clause: lmtp ? 'RFC 2033 §4.1: 500' : 'RFC 5321 §4.2.4', answers: [refused(state, facts)] };
  }
  const accepted: Answer = {
    codes: '250',
    next: (reply) =>
      moved(state, {
        hello: verb === 'HELO' ? 'HELO' : 'EHLO',
        offers: verb === 'HELO' ? new Map() : offersOf(reply),
        transaction: undefined,
      }),
  };
  const clause = lmtp ? 'RFC 2033 §4.1' : 'RFC 5321 §4.1.1.1, §4.1.4';
  const answers = facts.strict ? [accepted] : [accepted, refused(state, facts)];
  const judged = lenient(state, facts, command, clause, answers);
  return verb === 'HELO' ? judged : { ...judged, flawOf: (reply) => ehloFlaw(reply, state, facts) };
}

function ehloFlaw(reply: ModelReply, state: ServerModelState, facts: ServerFacts): string | undefined {
  if (reply.code !== 250) return undefined;
  if (state.secure && offersOf(reply).has('STARTTLS')) return 'STARTTLS is offered under TLS (RFC 3207 §4.2)';
  const odd = reply.lines.slice(1).find((line) => !/^[a-z0-9][a-z0-9-]*(?: [!-~]+)*$/i.test(line));
  return odd === undefined || facts.strict !== true
    ? undefined
    : `${JSON.stringify(odd)} is no keyword with its parameters (RFC 5321 §4.1.1.1)`;
}

const badSequence = (state: ServerModelState, facts: ServerFacts, form: ReadCommand['form']): Answer =>
  refused(state, facts, form === 'valid' ? '503' : '5yz');

function mail(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  const opened = answer('250', state, { transaction: transactionOf(command) });
  const { transaction } = state;
  if (transaction !== undefined && !transaction.failed) {
    const replaced = facts.strict ? [] : [opened];
    return {
      clause: 'RFC 5321 §4.1.4, §4.2.4: 503',
      answers: [...replaced, badSequence(state, facts, command.form)],
    };
  }
  if (state.hello === 'none') {
    // SMTPUTF8 cannot have been offered.
    const form = /^[\0-~]*$/.test(command.mailbox) ? command.form : 'odd';
    const answers = [badSequence(state, facts, form), ...(facts.strict ? [] : [opened])];
    return { clause: 'RFC 5321 §4.1.4: 503', answers };
  }
  const form = withParameters(state, command);
  const clause = form === command.form ? 'RFC 5321 §3.3, §4.1.1.2' : 'RFC 5321 §4.1.1.11';
  const open = facts.strict !== true || form === 'odd' || transaction?.failed === true;
  if (form === 'invalid') return lenient(state, facts, { form }, clause, [opened]);
  if (isDeclaredTooLarge(state, command)) {
    return { clause: 'RFC 1870 §6.1', answers: [opened, refused(state, facts, '552 or 452')] };
  }
  return { clause, answers: open ? [opened, refused(state, facts)] : [opened] };
}

function isDeclaredTooLarge({ offers }: ServerModelState, { parameters }: ReadCommand): boolean {
  const limit = Number(offers.get('SIZE') || 0);
  return limit > 0 && Number(parameters.get('SIZE') ?? 0) > limit;
}

function transactionOf({ mailbox, parameters }: ReadCommand): Transaction {
  const body = parameters.get('BODY')?.toUpperCase() ?? '7BIT';
  const utf8 = parameters.has('SMTPUTF8');
  return { ...EMPTY, from: mailbox, binary: body === 'BINARYMIME', utf8, eightBit: body !== '7BIT' || utf8 };
}

/** The form of the whole command, parameters and their offers included. */
function withParameters(state: ServerModelState, command: ReadCommand): ReadCommand['form'] {
  const { form, mailbox, parameters } = command;
  if (form === 'invalid') return 'invalid';
  const verb = command.verb === 'MAIL' ? 'MAIL' : 'RCPT';
  const given = parametersForm(verb, parameters, state.offers);
  if (given === 'unknown' || given === 'invalid') return 'invalid';
  const utf8 = verb === 'MAIL' ? parameters.has('SMTPUTF8') : state.transaction?.utf8 === true;
  // RFC 6531 §3.3
  if (!utf8 && [...mailbox].some((character) => character > '~')) return 'invalid';
  return given === 'odd' ? 'odd' : form;
}

function rcpt(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  const { transaction } = state;
  if (transaction === undefined) {
    return { clause: 'RFC 5321 §3.3, §4.1.4: 503', answers: [badSequence(state, facts, command.form)] };
  }
  const taken = answer('250 or 251', state, {
    transaction: { ...transaction, recipients: [...transaction.recipients, command.mailbox] },
  });
  const clause = 'RFC 5321 §3.3, §4.1.1.3';
  // Whether recipients may be added to a message that is under way, nothing says.
  if (transaction.failed || transaction.chunks !== undefined) {
    return { clause: 'RFC 3030 §2', answers: [taken, refused(state, facts)] };
  }
  const form = withParameters(state, command);
  if (form !== 'valid') return lenient(state, facts, { form }, clause, [taken]);
  if (transaction.recipients.length >= LEAST_RECIPIENTS) {
    return { clause: 'RFC 5321 §4.5.3.1.10: 452', answers: [taken, refused(state, facts, '4yz or 5yz')] };
  }
  const isPostmaster = command.mailbox.toLowerCase() === 'postmaster';
  const takes = isPostmaster || facts.takes?.(command.mailbox);
  if (takes === false) return { clause: 'RFC 5321 §3.3: 550', answers: [refused(state, facts)] };
  const certain = facts.strict === true && takes === true;
  return {
    clause: isPostmaster ? 'RFC 5321 §4.5.1' : clause,
    answers: certain ? [taken] : [taken, refused(state, facts)],
  };
}

function data(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  const { transaction } = state;
  const begun = answer('354', state, { phase: 'mailData' });
  const clause = 'RFC 5321 §3.3, §4.1.1.4';
  if (command.form === 'invalid') return lenient(state, facts, command, clause, [begun]);
  const isOpen = transaction !== undefined && !transaction.failed;
  if (isOpen && (transaction.binary || transaction.chunks !== undefined)) {
    return { clause: 'RFC 3030 §2, §3: 503', answers: [refused(state, facts)] };
  }
  if (!isOpen || transaction.recipients.length === 0) {
    // RFC 2033 §4.2 leaves no choice. Elsewhere 354 is allowed, if what follows it is refused.
    const codes = facts.protocol === 'lmtp' ? '503' : '503 or 554';
    const unwise = facts.protocol === 'lmtp' ? [] : [begun];
    return { clause, answers: [refused(state, facts, codes), ...unwise] };
  }
  const over = answer('4yz or 5yz', state, { transaction: undefined });
  const answers = facts.strict ? [begun] : [begun, over, answer('4yz or 5yz', state)];
  return lenient(state, facts, command, clause, answers);
}

function startTls(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  const agreed = answer('220', state, { phase: 'securing' });
  const clause = 'RFC 3207 §4';
  if (state.secure) return { clause: `${clause}.2`, answers: [refused(state, facts)] };
  if (command.form === 'invalid') return lenient(state, facts, command, clause, [agreed]);
  if (!state.offers.has('STARTTLS')) {
    // Whether it may come before EHLO, nothing says.
    const early = state.hello === 'EHLO' ? [] : [agreed];
    return { clause, answers: [...early, refused(state, facts)] };
  }
  const odd = state.transaction !== undefined || facts.strict !== true || command.form !== 'valid';
  return { clause, answers: odd ? [agreed, refused(state, facts)] : [agreed] };
}

function auth(state: ServerModelState, facts: ServerFacts, command: ReadCommand): Expectation {
  const clause = 'RFC 4954 §4';
  if (command.form === 'invalid' || state.hello !== 'EHLO' || !state.offers.has('AUTH')) {
    return { clause, answers: [refused(state, facts)] };
  }
  if (state.authenticated || state.transaction !== undefined) {
    return { clause: `${clause}: 503`, answers: [badSequence(state, facts, command.form)] };
  }
  const [mechanism = '', initial, ...more] = command.argument.split(' ');
  const name = mechanism.toUpperCase();
  const isOffered = (state.offers.get('AUTH') ?? '').toUpperCase().split(' ').includes(name);
  if (!isOffered || more.length > 0) return { clause: `${clause}: 504`, answers: [refused(state, facts)] };
  // `=` stands for an empty response.
  const responses = initial === undefined ? [] : [initial === '=' ? '' : initial];
  return authenticationStep(state, facts, { mechanism: name, responses });
}
