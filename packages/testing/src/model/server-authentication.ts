/** AUTH exchanges (RFC 4954 §4) with PLAIN (RFC 4616) and LOGIN; of other mechanisms the model knows nothing. */
import {
  type Answer,
  type Expectation,
  type ModelReply,
  moved,
  type ServerFacts,
  type ServerModelState,
} from './server-state.js';

type Exchange = NonNullable<ServerModelState['exchange']>;

/** Responses until the server decides. */
const RESPONSES: Readonly<Record<string, number>> = { PLAIN: 1, LOGIN: 2 };

/** What may follow AUTH or a response. */
export function authenticationStep(
  state: ServerModelState,
  facts: ServerFacts,
  exchange: Exchange,
): Expectation {
  const clause = 'RFC 4954 §4';
  const goesOn: Answer = { codes: '334', next: () => moved(state, { phase: 'exchange', exchange }) };
  const over = { phase: 'serving', exchange: undefined } as const;
  const succeeded: Answer = { codes: '235', next: () => moved(state, { ...over, authenticated: true }) };
  const failed = (codes: string): Answer => ({
    codes: facts.strict === true ? codes : '4yz or 5yz',
    next: () => moved(state, over),
  });

  const last = exchange.responses.at(-1);
  if (last === '*') return { clause: `${clause}: 501`, answers: [failed('501')] };
  const needed = RESPONSES[exchange.mechanism];
  if (needed === undefined) return { clause, answers: [goesOn, succeeded, failed('4yz or 5yz')] };
  if (last !== undefined && !isBase64(last)) return { clause: `${clause}: 501`, answers: [failed('501')] };
  if (exchange.responses.length < needed) {
    const flawOf = exchange.mechanism === 'PLAIN' ? flawOfEmptyChallenge : undefined;
    const early = last === undefined ? undefined : codesForNobodysName(last);
    const answers =
      early === undefined ? [goesOn] : [goesOn, { codes: early, next: () => moved(state, over) }];
    return { clause, answers, ...(flawOf && { flawOf }) };
  }
  const isRight = judged(exchange, facts);
  if (isRight === undefined) return { clause, answers: [succeeded, failed('4yz or 5yz')] };
  return { clause: `${clause}, §6`, answers: [isRight ? succeeded : failed('535 or 501')] };
}

/** Where the client begins, the challenge before its first response has no text (RFC 4954 §4). */
function flawOfEmptyChallenge({ code, lines }: ModelReply): string | undefined {
  const text = lines.join('');
  return code !== 334 || text === '' ? undefined : `the challenge of PLAIN was to be empty; it is ${text}`;
}

/**
 * No RFC has LOGIN: whether a server asks for the password of a name that nobody has is its own affair. But an empty name is
 * well-formed, as the sign for it is (RFC 4954 §4): 501 would say that the server does not know that sign.
 */
function codesForNobodysName(response: string): string | undefined {
  const name = decoded(response);
  if (name === '') return '535';
  return /^[ -~]+$/.test(name) ? undefined : '4yz or 5yz';
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*$/.test(text.replace(/={1,2}$/, ''));
}

/** Undefined: the users are not known. */
function judged({ mechanism, responses }: Exchange, { users }: ServerFacts): boolean | undefined {
  if (users === undefined) return undefined;
  const texts = responses.map(decoded);
  const isUser = (name = '', password = ''): boolean =>
    name !== '' && password !== '' && Object.hasOwn(users, name) && users[name] === password;
  if (mechanism === 'LOGIN') return isUser(...texts);
  const [authorization, name, password, ...more] = (texts[0] ?? '').split('\0');
  return more.length === 0 && (authorization === '' || authorization === name) && isUser(name, password);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decoded(base64: string): string {
  let bits = '';
  for (const character of base64.replaceAll('=', '')) {
    bits += ALPHABET.indexOf(character).toString(2).padStart(6, '0');
  }
  let text = '';
  for (let at = 0; at + 8 <= bits.length; at += 8)
    text += String.fromCharCode(Number.parseInt(bits.slice(at, at + 8), 2));
  return text;
}
