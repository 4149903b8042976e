/** TLS and AUTH: what a client trusts, and to whom it tells a secret. */
import { is2, named, quoted } from '../conversation.js';
import { each, type Judge, type Seen } from '../judging.js';

const needsTls = ({ task }: Seen): boolean => task.setup !== 'plain' && task.setup !== 'lmtp';

/** RFC 8314 §4.1, RFC 3207 §4.1: who was told to use TLS sends no mail without it. */
export const keepsToTls: Judge = each(({ moment, line, secure }, seen) =>
  needsTls(seen) && !secure && ['MAIL', 'RCPT', 'DATA', 'BDAT', 'message'].includes(moment)
    ? `TLS was asked for, and ${quoted(line)} went out without it`
    : undefined,
);

/** RFC 3207 §4.1, RFC 8314 §4.1: a server that nobody vouches for gets no mail. */
export const serverIsVerified: Judge = each(({ moment, secure }, { stranger }) =>
  stranger && secure && ['MAIL', 'AUTH'].includes(moment)
    ? `the client trusted a certificate that nobody vouches for, and sent ${moment}`
    : undefined,
);

/** RFC 3207 §4.2: after the handshake a session begins anew, by EHLO. */
export const beginsAnewAfterTls: Judge = ({ connections }) => {
  for (const connection of connections) {
    const index = connection.findIndex(({ moment, code }) => moment === 'STARTTLS' && code === 220);
    const next = connection[index + 1];
    if (index < 0 || next === undefined || !next.secure || next.sent === '') continue;
    if (!['EHLO', 'QUIT'].includes(next.moment)) return `the client began the TLS session by ${named(next)}`;
  }
  return undefined;
};

/** RFC 4954 §4, §14: a mechanism that was offered. */
export const mechanismsAreOffered: Judge = each(({ moment, line, offers }) => {
  if (moment !== 'AUTH' || !/^AUTH /i.test(line)) return undefined;
  const [, mechanism = ''] = line.split(' ');
  const offered = (offers.get('AUTH') ?? '').toUpperCase().split(' ');
  return offered.includes(mechanism.toUpperCase()) ? undefined : `AUTH ${mechanism} was not offered`;
});

/** RFC 4954 §4, §14: a password is not told to whoever listens. */
export const secretsNeedTls: Judge = each(({ moment, secure }) =>
  moment === 'AUTH' && !secure ? 'AUTH came without TLS' : undefined,
);

/** RFC 4954 §4: after it has succeeded, AUTH does not come again; and it does not come within a transaction. */
export const authenticatesOnce: Judge = ({ connections }) => {
  for (const connection of connections) {
    let done = false;
    let opened = false;
    for (const { moment, code, line } of connection) {
      if (moment === 'AUTH' && /^AUTH /i.test(line) && done) return 'AUTH came again after it had succeeded';
      if (moment === 'AUTH' && /^AUTH /i.test(line) && opened) return 'AUTH came within a transaction';
      if (moment === 'AUTH' && code === 235) done = true;
      if (moment === 'MAIL') opened = is2(code);
      if (moment === 'message' || moment === 'RSET') opened = false;
    }
  }
  return undefined;
};

/** RFC 6409 §4.3, and what whoever asked for AUTH expects: no mail without it. */
export const keepsToAuthentication: Judge = ({ connections, task }) => {
  if (task.setup !== 'login') return undefined;
  for (const connection of connections) {
    const mail = connection.findIndex(({ moment }) => moment === 'MAIL');
    const done = connection.findIndex(({ moment, code }) => moment === 'AUTH' && code === 235);
    if (mail >= 0 && (done < 0 || done > mail))
      return 'the client was to authenticate, and sent mail without';
  }
  return undefined;
};

/** What a secret looks like in the exchanges of AUTH. */
function formsOf(password: string, user: string): readonly string[] {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return [password, base64(password), base64(`\0${user}\0${password}`)];
}

/** Nothing that the client prints, and nothing that it says outside of AUTH, has the password in it. */
export const secretsAreKept: Judge = (seen) => {
  const { task, report, connections } = seen;
  const forms = formsOf(task.password, task.user);
  if (forms.some((form) => report.output.includes(form)))
    return 'the password stands in what the client prints';
  const outside = connections
    .flat()
    .find(({ moment, sent }) => moment !== 'AUTH' && forms.some((f) => sent.includes(f)));
  return outside && `the password stands in what the client says at ${outside.moment}`;
};
