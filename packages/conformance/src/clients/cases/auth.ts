/** AUTH, for a client that was told to log in under TLS. */
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import {
  all,
  comesToAnEnd,
  type Judge,
  provided,
  reportsDelivery,
  reportsFailure,
  reportsTemporaryFailure,
} from '../judging.js';
import { extensions, order, trust } from '../rules/index.js';

const setup = 'login' as const;
const ehlo = (...keywords: string[]): string => {
  const lines = ['script.test', ...keywords];
  return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\n');
};
const offering = (auth: string) => [ehlo('STARTTLS'), ehlo(auth)];
const EHLO = offering('AUTH PLAIN LOGIN');
const PLAIN = offering('AUTH PLAIN');
const LOGIN = offering('AUTH LOGIN');

/** What the client said in the exchange, base64 undone, a line each. */
const responsesOf: (seen: Parameters<Judge>[0]) => readonly string[] = ({ connections }) =>
  connections
    .flat()
    .filter(({ moment, sent }) => moment === 'AUTH' && sent !== '')
    .flatMap(({ line }) => (/^AUTH /i.test(line) ? line.split(' ').slice(2) : [line]))
    .map((text) => (text === '=' ? '' : Buffer.from(text, 'base64').toString('utf8')));

const authenticated = provided(/^AUTH /i, 'the client sent no AUTH');

export const auth: ClientCaseGroup = {
  name: 'client-auth',
  title: 'AUTH',
  introduction:
    'A client logs in by a mechanism that is offered under TLS, and sends no mail where it is not let in.',
  remedy:
    'Look at the mechanisms of the EHLO under TLS, cancel by "*" what cannot be answered, and give up after 5yz.',
  cases: [
    clientCase(
      ['client-auth/delivers', 'RFC 4954 §4', 'MUST'],
      'Who was let in sends its mail.',
      { EHLO },
      all(trust.keepsToAuthentication, reportsDelivery),
      { setup },
    ),
    clientCase(
      ['client-auth/plain', 'RFC 4616 §2', 'MUST'],
      "PLAIN is an empty identity or the user's, the name and the password, with NUL between them.",
      { EHLO: PLAIN },
      all(authenticated, (seen) =>
        responsesOf(seen).some((text) => /^(?:probe)?\0probe\0correct-horse-7f3a$/.test(text))
          ? undefined
          : 'no response has the form that PLAIN has',
      ),
      { setup },
    ),
    clientCase(
      ['client-auth/plain-delivers', 'RFC 4616 §2', 'MUST'],
      'PLAIN lets it in.',
      { EHLO: PLAIN },
      reportsDelivery,
      { setup },
    ),
    clientCase(
      ['client-auth/login', 'RFC 4954 §4', 'INTEROP'],
      'LOGIN, which nobody specified and everybody has, sends the name and then the password.',
      { EHLO: LOGIN },
      all(authenticated, (seen) =>
        responsesOf(seen).join('\n').endsWith('probe\ncorrect-horse-7f3a')
          ? undefined
          : 'the name and the password did not come in this order',
      ),
      { setup },
    ),
    clientCase(
      ['client-auth/only-in-the-clear', 'RFC 4954 §4', 'SECURITY'],
      'Mechanisms that were offered in the clear count no more under TLS.',
      { EHLO: [ehlo('STARTTLS', 'AUTH PLAIN LOGIN'), ehlo()] },
      all(trust.mechanismsAreOffered, trust.keepsToAuthentication),
      { setup },
    ),
    clientCase(
      ['client-auth/no-tls', 'RFC 4954 §14', 'SECURITY'],
      'Where STARTTLS is stripped, no password goes out.',
      { EHLO: ehlo('AUTH PLAIN LOGIN') },
      all(trust.secretsNeedTls, trust.keepsToTls),
      { setup },
    ),
    clientCase(
      ['client-auth/tls-refused', 'RFC 4954 §14', 'SECURITY'],
      'Nor where STARTTLS is refused.',
      { EHLO: ehlo('STARTTLS', 'AUTH PLAIN LOGIN'), STARTTLS: '454 4.7.0 Not now' },
      all(trust.secretsNeedTls, trust.keepsToTls),
      { setup },
    ),
    clientCase(
      ['client-auth/other-certificate', 'RFC 4954 §14', 'SECURITY'],
      'Nor to a server that cannot prove who it is.',
      { EHLO },
      ({ connections }) =>
        connections.flat().some(({ moment }) => moment === 'AUTH')
          ? 'AUTH went to a server that nobody vouches for'
          : undefined,
      { setup, stranger: true },
    ),
    clientCase(
      ['client-auth/nothing-offered', 'RFC 4954 §4', 'SECURITY'],
      'Who was told to log in sends no mail where that is not offered.',
      { EHLO: offering('HELP') },
      all(trust.keepsToAuthentication, reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-auth/unknown-mechanisms', 'RFC 4954 §4', 'MUST'],
      'Only mechanisms that are offered are tried.',
      { EHLO: offering('AUTH XYZZY GSSAPI-FOO') },
      all(trust.mechanismsAreOffered, trust.keepsToAuthentication, reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-auth/no-mechanism', 'RFC 4954 §3', 'MUST'],
      'AUTH without a mechanism offers none.',
      { EHLO: offering('AUTH') },
      all(trust.mechanismsAreOffered, reportsFailure),
      { setup },
    ),
    clientCase(
      ['client-auth/mechanism-in-lower-case', 'RFC 4422 §3.1', 'INTEROP'],
      'Some servers write mechanisms in lower case.',
      { EHLO: offering('auth plain login') },
      comesToAnEnd,
      { setup },
    ),
    clientCase(
      ['client-auth/mechanism-name-is-whole', 'RFC 4954 §4', 'MUST'],
      "A mechanism whose name has another one's in it is another one.",
      { EHLO: offering('AUTH XPLAIN LOGIN-TOKEN') },
      trust.mechanismsAreOffered,
      { setup },
    ),
    clientCase(
      ['client-auth/535-no-mail', 'RFC 4954 §6', 'SECURITY'],
      'Who is not let in sends no mail.',
      { EHLO, AUTH: '535 5.7.8 No' },
      trust.keepsToAuthentication,
      { setup },
    ),
    clientCase(
      ['client-auth/535-fails', 'RFC 4954 §6', 'MUST'],
      'Nothing was delivered.',
      { EHLO, AUTH: '535 5.7.8 No' },
      reportsFailure,
      { setup },
    ),
    clientCase(
      ['client-auth/535-not-hammered', 'RFC 4954 §4', 'INTEROP'],
      'A wrong password does not become right: it is not tried again and again.',
      { EHLO: PLAIN, AUTH: '535 5.7.8 No' },
      ({ connections }) =>
        connections.flat().filter(({ line }) => /^AUTH /i.test(line)).length > 2
          ? 'the client tried the same password more than twice'
          : undefined,
      { setup },
    ),
    clientCase(
      ['client-auth/535-quit', 'RFC 5321 §4.1.1.10', 'MUST'],
      'Also then the client says QUIT.',
      { EHLO: PLAIN, AUTH: '535 5.7.8 No' },
      order.saysQuit,
      { setup },
    ),
    clientCase(
      ['client-auth/454-is-temporary', 'RFC 4954 §6', 'MUST'],
      'A server that cannot check passwords now may later.',
      { EHLO: PLAIN, AUTH: '454 4.7.0 Not now' },
      all(trust.keepsToAuthentication, reportsTemporaryFailure),
      { setup },
    ),
    clientCase(
      ['client-auth/421', 'RFC 5321 §3.8', 'MUST'],
      '421 to AUTH ends the session.',
      { EHLO: PLAIN, AUTH: { reply: '421 4.3.2 Down', ending: 'stay' } },
      all(order.endsAfter421, trust.keepsToAuthentication),
      { setup },
    ),
    clientCase(
      ['client-auth/breaks', 'RFC 5321 §4.2.1', 'MUST'],
      'A connection that breaks at AUTH leaves the message for later.',
      { EHLO: PLAIN, AUTH: 'drop' },
      all(trust.keepsToAuthentication, reportsTemporaryFailure),
      { setup },
    ),
    clientCase(
      ['client-auth/250-is-no-235', 'RFC 4954 §6', 'INTEROP'],
      'Any 2yz lets in; whatever the client makes of 250, it comes to an end.',
      { EHLO: PLAIN, AUTH: '250 2.0.0 OK' },
      comesToAnEnd,
      { setup },
    ),
    clientCase(
      ['client-auth/235-of-several-lines', 'RFC 5321 §4.2.1', 'MUST'],
      '235 may have several lines.',
      { EHLO: PLAIN, AUTH: (line) => (line === 'AUTH PLAIN' ? '334 ' : '235-2.7.0 Welcome\n235 2.7.0 back') },
      reportsDelivery,
      { setup },
    ),
    clientCase(
      ['client-auth/334-without-end', 'RFC 4954 §4', 'SECURITY'],
      'A server that asks on and on gets no mail, and no endless answers.',
      { EHLO, AUTH: '334 ' },
      all(comesToAnEnd, trust.keepsToAuthentication, (seen) =>
        responsesOf(seen).length > 20 ? `the client gave ${responsesOf(seen).length} answers` : undefined,
      ),
      { setup },
    ),
    clientCase(
      ['client-auth/334-no-base64', 'RFC 4954 §4', 'MUST'],
      'A challenge that is no base64 is cancelled, or the session ends; mail does not follow.',
      { EHLO: LOGIN, AUTH: ['334 ***not base64***', '501 5.5.2 Cancelled'] },
      all(comesToAnEnd, trust.keepsToAuthentication),
      { setup },
    ),
    clientCase(
      ['client-auth/refusal-in-the-midst', 'RFC 4954 §4', 'SECURITY'],
      'A refusal in the midst of the exchange ends it: the password does not follow.',
      { EHLO: LOGIN, AUTH: ['334 VXNlcm5hbWU6', '535 5.7.8 No'] },
      all(trust.secretsAreKept, trust.keepsToAuthentication),
      { setup },
    ),
    clientCase(
      ['client-auth/waits', 'RFC 4954 §4', 'MUST'],
      'After AUTH nothing follows before its reply.',
      {
        EHLO: offering('AUTH PLAIN LOGIN').map((each, n) =>
          n === 1 ? ehlo('AUTH PLAIN', 'PIPELINING') : each,
        ),
        AUTH: (line) => (line === 'AUTH PLAIN' ? '334 ' : { reply: '235 2.7.0 Welcome', wait: 120 }),
      },
      extensions.groupsEndWhereTheyMust,
      { setup },
    ),
    clientCase(
      ['client-auth/once', 'RFC 4954 §4', 'MUST'],
      'AUTH does not come again after it has succeeded.',
      { EHLO },
      trust.authenticatesOnce,
      { setup },
    ),
    clientCase(
      ['client-auth/secret-not-printed', 'RFC 4954 §14', 'SECURITY'],
      'The password stands in nothing that the client prints.',
      { EHLO: PLAIN, AUTH: '535 5.7.8 No' },
      trust.secretsAreKept,
      { setup },
    ),
    clientCase(
      ['client-auth/secret-not-elsewhere', 'RFC 4954 §14', 'SECURITY'],
      'The password stands in nothing but the exchange.',
      { EHLO },
      trust.secretsAreKept,
      { setup },
    ),
    clientCase(
      ['client-auth/mail-530', 'RFC 6409 §4.3', 'MUST'],
      '530 to MAIL is a refusal like any other.',
      { EHLO, MAIL: '530 5.7.0 Authenticate first' },
      reportsFailure,
      { setup },
    ),
  ],
};
