/** Service extensions: a client uses what was offered, and only since it was (RFC 5321 §2.2, §4.1.1.1). */
import { type Exchange, latin1, named, parametersOf, quoted } from '../conversation.js';
import { each, type Judge } from '../judging.js';

/** The keyword that a parameter of MAIL or RCPT belongs to. */
const KEYWORD_OF: Readonly<Record<string, string>> = {
  SIZE: 'SIZE',
  BODY: '8BITMIME',
  SMTPUTF8: 'SMTPUTF8',
  RET: 'DSN',
  ENVID: 'DSN',
  NOTIFY: 'DSN',
  ORCPT: 'DSN',
  AUTH: 'AUTH',
  REQUIRETLS: 'REQUIRETLS',
  'MT-PRIORITY': 'MT-PRIORITY',
  HOLDFOR: 'FUTURERELEASE',
  HOLDUNTIL: 'FUTURERELEASE',
  BY: 'DELIVERBY',
};

const isOffered = ({ offers }: Exchange, keyword: string): boolean =>
  offers.has(keyword) || (keyword === 'DSN' && offers.has('DSN'));

/** RFC 5321 §4.1.1.11: no parameter without its extension. */
export const parametersAreOffered: Judge = each((exchange) => {
  if (exchange.moment !== 'MAIL' && exchange.moment !== 'RCPT') return undefined;
  for (const [name, value] of parametersOf(exchange.line)) {
    const keyword = name === 'BODY' && value === 'BINARYMIME' ? 'BINARYMIME' : (KEYWORD_OF[name] ?? name);
    if (!isOffered(exchange, keyword)) return `${quoted(exchange.line)}; ${keyword} was not offered`;
  }
  return undefined;
});

/** RFC 3030 §2: no BDAT without CHUNKING; and RFC 3207 §4: no STARTTLS that was not offered. */
export const commandsAreOffered: Judge = each(({ line, moment, offers }) => {
  if (/^BDAT/i.test(line) && (moment === 'BDAT' || moment === 'message') && !offers.has('CHUNKING')) {
    return 'BDAT came; CHUNKING was not offered';
  }
  return moment === 'STARTTLS' && !offers.has('STARTTLS') ? 'STARTTLS came; it was not offered' : undefined;
});

const isBdat = ({ line }: Exchange): boolean => /^BDAT/i.test(line);

/** RFC 2920 §3.1: commands come in groups only where PIPELINING is offered. */
export const pipelinesWhereOffered: Judge = each((exchange) => {
  if (!exchange.early || exchange.moment === 'closed' || exchange.moment === 'message') return undefined;
  if (exchange.offers.has('PIPELINING')) return undefined;
  return `${named(exchange)} came before the reply to the command before; PIPELINING was not offered`;
});

const LAST_OF_A_GROUP = ['EHLO', 'LHLO', 'HELO', 'STARTTLS', 'AUTH', 'DATA', 'VRFY', 'EXPN', 'NOOP', 'QUIT'];

/** RFC 2920 §3.1: EHLO, DATA, VRFY, EXPN, QUIT and NOOP end a group; so do STARTTLS and AUTH. */
export const groupsEndWhereTheyMust: Judge = each((exchange) =>
  LAST_OF_A_GROUP.includes(exchange.moment) && exchange.ahead > 0
    ? `the client did not wait for the reply to ${named(exchange)}`
    : undefined,
);

const isAscii = (text: string): boolean => !/[\x80-\xff]/.test(text);

/** RFC 6152 §3: octets beyond ASCII go to a server that offers 8BITMIME, and are declared. */
export const eightBitIsDeclared: Judge = ({ connections, task }) => {
  if (isAscii(latin1(task.message))) return undefined;
  for (const connection of connections) {
    let declared = false;
    let offered = false;
    for (const exchange of connection) {
      if (exchange.moment === 'MAIL') {
        declared = /^(?:8BITMIME|BINARYMIME)$/i.test(parametersOf(exchange.line).get('BODY') ?? '');
        declared ||= parametersOf(exchange.line).has('SMTPUTF8');
        offered = exchange.offers.has('8BITMIME');
      }
      const isContent = exchange.moment === 'message' || isBdat(exchange);
      if (isContent && !isAscii(exchange.sent) && !(declared && offered)) {
        return offered
          ? 'mail data beyond ASCII were not declared by BODY=8BITMIME'
          : 'mail data beyond ASCII went to a server that does not offer 8BITMIME';
      }
    }
  }
  return undefined;
};

/** RFC 6531 §3.4: an address beyond ASCII needs SMTPUTF8 offered, and declared at MAIL. */
export const internationalIsDeclared: Judge = (seen) => {
  for (const connection of seen.connections) {
    let declared = false;
    for (const { moment, line } of connection) {
      if (moment === 'MAIL') declared = parametersOf(line).has('SMTPUTF8');
      if ((moment === 'MAIL' || moment === 'RCPT') && !isAscii(line) && !declared) {
        return `${quoted(line)} without SMTPUTF8`;
      }
    }
  }
  return undefined;
};

/** RFC 1870 §6.1: what is beyond the limit that the server declared is not sent. */
export const sizeLimitIsHeeded: Judge = ({ connections, task }) => {
  const tooLarge = connections.flat().find(({ moment, line, offers }) => {
    const limit = Number(offers.get('SIZE') ?? 0);
    return (moment === 'DATA' || /^BDAT/i.test(line)) && limit > 0 && task.message.length > limit;
  });
  return (
    tooLarge &&
    `a message of ${task.message.length} octets was sent; ${tooLarge.offers.get('SIZE')} are allowed`
  );
};
