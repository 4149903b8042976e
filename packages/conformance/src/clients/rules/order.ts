/**
 * The order of commands (RFC 5321 §3, §4.1.4, §4.3). After octets that are no reply, a client may do as it likes, and is not
 * judged here any more.
 */
import type { Connection, Exchange } from '../conversation.js';
import { is2, named, quoted } from '../conversation.js';
import type { Judge } from '../judging.js';

/** Judges each connection on its own, up to the first octets that are no reply. */
const inOrder =
  (judge: (connection: Connection, seen: Parameters<Judge>[0]) => string | undefined): Judge =>
  (seen) => {
    for (const connection of seen.connections) {
      const bad = connection.findIndex(({ code, moment }) => code === undefined && moment !== 'closed');
      const wrong = judge(bad < 0 ? connection : connection.slice(0, bad + 1), seen);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };

const isHello = ({ moment }: Exchange): boolean =>
  moment === 'EHLO' || moment === 'HELO' || moment === 'LHLO';
const isContent = ({ moment, line }: Exchange): boolean => moment === 'message' && !/^BDAT/i.test(line);

/** RFC 5321 §3.1, §4.3.1: nothing is said before the greeting. */
export const waitsForGreeting: Judge = ({ connections }) =>
  connections.some(([greeting]) => greeting?.moment === 'greeting' && greeting.ahead > 0)
    ? 'the client spoke before the greeting'
    : undefined;

/** RFC 5321 §3.1: after a greeting other than 220 there is nothing but QUIT. */
export const heedsGreeting: Judge = inOrder(([greeting, ...rest]) => {
  if (greeting === undefined || is2(greeting.code)) return undefined;
  const said = rest.find(({ moment, line }) => moment !== 'closed' && moment !== 'QUIT' && line !== '');
  return said && `${named(said)} after the greeting ${greeting.code ?? quoted(greeting.said)}`;
});

/** RFC 5321 §4.1.1.1: a session begins by EHLO, or HELO, that the server accepts. */
export const saysHelloFirst: Judge = inOrder((connection) => {
  let greeted = false;
  for (const exchange of connection) {
    if (isHello(exchange)) greeted = is2(exchange.code);
    if (exchange.moment === 'STARTTLS' && exchange.code === 220) greeted = false;
    if (exchange.moment === 'MAIL' && !greeted) return 'MAIL came without an accepted EHLO or HELO';
  }
  return undefined;
});

/** RFC 5321 §3.2: where EHLO is not known, HELO comes. LMTP knows LHLO only (RFC 2033 §4.1). */
export const fallsBackToHelo: Judge = inOrder((connection) => {
  const ehlo = connection.findIndex(
    ({ moment, code }) => moment === 'EHLO' && (code === 500 || code === 502),
  );
  if (ehlo < 0 || connection[ehlo]?.ended) return undefined;
  return connection.some(({ moment }, index) => index > ehlo && moment === 'HELO')
    ? undefined
    : 'EHLO is not known to the server, and the client did not try HELO';
});

/** RFC 5321 §3.3, §4.1.4: MAIL, then RCPT after MAIL was accepted, then DATA after some RCPT was. */
export const transactionsAreInOrder: Judge = inOrder((connection) => {
  let opened = false;
  let recipients = 0;
  for (const { moment, code, offers, line, sent } of connection) {
    // What is pipelined does not know of the replies (RFC 2920 §3.1).
    const knows = !offers.has('PIPELINING');
    if (moment === 'MAIL') {
      if (opened) return 'MAIL came within a transaction';
      opened = is2(code) || !knows;
      recipients = 0;
    }
    if (moment === 'RSET' || moment === 'EHLO' || moment === 'HELO') opened = false;
    if (moment === 'RCPT') {
      if (!opened) return `${quoted(line)} came without an accepted MAIL`;
      if (is2(code) || !knows) recipients++;
    }
    const begins = moment === 'DATA' || /^BDAT/i.test(line);
    if (begins && recipients === 0) return `${quoted(line)} came without an accepted RCPT`;
    if (moment === 'message' && sent !== '') opened = false;
    if (moment === 'DATA' && code !== 354) opened = false;
  }
  return undefined;
});

/** RFC 5321 §4.1.1.4: mail data follow 354, and nothing else; else they are read as commands. */
export const sendsDataAfter354Only: Judge = inOrder((connection) => {
  for (const [index, { moment, code, said, ahead }] of connection.entries()) {
    if (moment !== 'DATA') continue;
    if (ahead > 0) return 'mail data came before the reply to DATA';
    const next = connection[index + 1];
    if (code === 354 || next === undefined || next.sent === '') continue;
    if (!['QUIT', 'RSET', 'MAIL', 'NOOP', 'closed'].includes(next.moment)) {
      return `after ${quoted(said)} to DATA the client sent ${named(next)}`;
    }
  }
  return undefined;
});

/** RFC 2920 §3.1: 354 although no recipient was accepted is answered by a single dot. */
export const sendsLoneDotForNobody: Judge = inOrder((connection) => {
  let accepted = 0;
  for (const exchange of connection) {
    if (exchange.moment === 'MAIL') accepted = 0;
    if (exchange.moment === 'RCPT' && is2(exchange.code)) accepted++;
    if (isContent(exchange) && exchange.sent !== '' && accepted === 0 && exchange.sent !== '.\r\n') {
      return `no recipient was accepted, and the client sent ${exchange.sent.length} octets of mail data`;
    }
  }
  return undefined;
});

/** RFC 5321 §3.8: after 421 there is nothing but QUIT, and nothing at all after the reply to QUIT. */
export const endsAfter421: Judge = inOrder((connection) => {
  for (const [index, { moment, code, ahead }] of connection.entries()) {
    if (code !== 421 && !(moment === 'QUIT' && is2(code))) continue;
    if (ahead > 0) return undefined; // pipelined: it could not know
    const later = connection
      .slice(index + 1)
      .find(({ sent }) => sent !== '' && !(code === 421 && /^QUIT\r\n$/i.test(sent)));
    return later && `${named(later)} after ${code === 421 ? '421' : 'QUIT'}`;
  }
  return undefined;
});

/** RFC 5321 §4.1.1.10: the client does not close before it has said QUIT. */
export const saysQuit: Judge = (seen) => {
  if (seen.report.unfinished) return undefined;
  for (const connection of seen.connections) {
    if (connection.some(({ moment, code }) => code === undefined && moment !== 'closed')) continue;
    const said = connection.filter(({ moment }) => moment !== 'closed');
    const last = said.at(-1);
    if (
      last === undefined ||
      /^QUIT$/i.test(last.line) ||
      last.ended ||
      connection.at(-1)?.moment !== 'closed'
    )
      continue;
    if (said.some(({ code }) => code === 421)) continue; // the server closes (§3.8)
    if (last.moment === 'STARTTLS' && last.code === 220) continue; // the handshake failed
    if (connection.at(-1)?.sent !== '') continue; // QUIT, or a command whose reply never came
    if (last.moment === 'greeting' && !is2(last.code)) continue; // §3.1 asks for QUIT of who wants to wait for its reply
    return `the client closed after ${named(last)} without QUIT`;
  }
  return undefined;
};

/** RFC 5321 §4.1.1.3: each recipient is named once in a transaction. */
export const namesRecipientsOnce: Judge = inOrder((connection) => {
  let named: string[] = [];
  for (const { moment, line, code } of connection) {
    if (moment === 'MAIL') named = [];
    if (moment !== 'RCPT') continue;
    if (named.includes(line)) return `${quoted(line)} came twice in a transaction`;
    if (code === undefined || code < 400) named.push(line);
  }
  return undefined;
});

/** RFC 5321 §3.3: all recipients that were given are named, as long as the server lets it. */
export const namesAllRecipients: Judge = (seen) => {
  const { connections, task } = seen;
  const said = connections.flat().filter(({ moment }) => moment === 'message' || moment === 'DATA');
  if (said.length === 0 || connections.flat().some(({ code }) => code === 421 || code === undefined))
    return undefined;
  const lines = connections.flat().filter(({ moment }) => moment === 'RCPT').length;
  return lines < task.to.length ? `${task.to.length} recipients were given; ${lines} were named` : undefined;
};

/** RFC 5321 §6.1: what the server has taken is not sent again. */
export const sendsOnce: Judge = ({ connections }) => {
  const taken = connections
    .flat()
    .filter(({ moment, code, sent }) => moment === 'message' && sent !== '' && is2(code)).length;
  return taken > 1 ? `the server took the message, and the client sent it ${taken} times` : undefined;
};

/** RFC 5321 §4.5.3.1.10: recipients that were accepted get their message, whatever became of the others. */
export const servesTheAccepted: Judge = inOrder((connection) => {
  const begin = connection.findIndex(({ moment, code }) => moment === 'MAIL' && is2(code));
  if (begin < 0 || connection.some(({ moment, code, ended }) => code === 421 || (ended && moment !== 'QUIT')))
    return undefined;
  if (connection.some(({ moment, code }) => moment !== 'closed' && code === undefined)) return undefined;
  const rest = connection.slice(begin);
  const accepted = rest.filter(({ moment, code }) => moment === 'RCPT' && is2(code)).length;
  const isServed = rest.some(({ moment, line }) => moment === 'DATA' || /^BDAT/i.test(line));
  return accepted > 0 && !isServed
    ? `${accepted} recipients were accepted, and no message followed`
    : undefined;
});

/** RFC 5321 §4.1.1.4: the final dot stands on a line of its own. */
export const endsMailData: Judge = inOrder((connection) => {
  const closed = connection.at(-1);
  const before = connection.at(-2);
  if (closed?.moment !== 'closed' || before?.moment !== 'DATA' || before.code !== 354 || before.ended)
    return undefined;
  return /[^\n]\.\r\n$/.test(closed.sent) ? 'the final dot does not stand on a line of its own' : undefined;
});
