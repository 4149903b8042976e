/** TLS and AUTH: what a client trusts, and to whom it tells a secret. */
import { type Connection, is2, named, quoted } from '../conversation.js';
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

/** RFC 3207 §4.2: STARTTLS does not come under TLS, even if it is offered. */
export const startsTlsOnce: Judge = ({ connections }) =>
  connections.some((connection) =>
    connection.some(
      ({ moment, secure }, index) => moment === 'STARTTLS' && secure && connection[index - 1]?.secure,
    ),
  )
    ? 'STARTTLS came under TLS'
    : undefined;

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

/** What the client said in an AUTH exchange, base64 undone, and the challenge before it. */
function responsesIn(
  connection: Connection,
): readonly { mechanism: string; challenge: string; text: string }[] {
  const decoded = (text: string) => Buffer.from(text, 'base64').toString('utf8');
  let mechanism = '';
  let challenge = '';
  return connection
    .filter(({ moment, sent }) => moment === 'AUTH' && sent !== '')
    .flatMap(({ line, said }) => {
      const [verb = '', name = '', initial] = line.split(' ');
      const begins = verb.toUpperCase() === 'AUTH';
      if (begins) mechanism = name.toUpperCase();
      const before = begins ? '' : challenge;
      challenge = decoded(/^334 (.*)/.exec(said)?.[1] ?? '');
      const response = begins ? initial : line;
      if (response === undefined || response === '*') return [];
      return [{ mechanism, challenge: before, text: response === '=' ? '' : decoded(response) }];
    });
}

/** RFC 4616 §2: PLAIN is an identity, the name and the password, with NUL between them; LOGIN answers what it is asked. */
export const responsesAreRight: Judge = ({ connections, task: { user, password } }) => {
  for (const { mechanism, challenge, text } of connections.flatMap(responsesIn)) {
    if (
      mechanism === 'PLAIN' &&
      text !== `\0${user}\0${password}` &&
      text !== `${user}\0${user}\0${password}`
    )
      return 'a response of PLAIN has another form than PLAIN has';
    const asksForName = /^user ?name/i.test(challenge);
    if (mechanism === 'LOGIN' && asksForName && text === password)
      return 'LOGIN said the password where the name was asked for';
  }
  return undefined;
};

/** RFC 4954 §4: a server that asks on and on is not answered without end. */
export const exchangesEnd: Judge = ({ connections }) => {
  const most = Math.max(0, ...connections.map((connection) => responsesIn(connection).length));
  return most > 20 ? `the client gave ${most} responses to AUTH` : undefined;
};

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
