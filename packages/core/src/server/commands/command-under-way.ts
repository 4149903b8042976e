/**
 * The command under way, from its line to its reply: the event that tells the chart of it, and what the session needs
 * if the chart finds it legal. Nothing changes by reading it.
 *
 * - The question that a command raises is made when the command is read, and asked when it was found legal. `connect`
 *   and `message` are raised by no command; those of an AUTH exchange by the exchange.
 * - A command's argument is read as far as the grammar left it unread; one that is wrong refuses the command.
 */

import { malformedOriginalRecipient } from '../../extensions/delivery/dsn.js';
import { malformedSubmitter } from '../../extensions/session/auth.js';
import type { ClientAttributes } from '../../extensions/session/client-attributes.js';
import type { Command } from '../../wire/commands/command.js';
import type { InboundLine } from '../../wire/inbound.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { ServerChartEvent } from '../chart/chart-events.js';
import { type Authentication, beginAuthentication } from '../client/authentication.js';
import { type ClientIdentity, readAttributes } from '../client/client-identity.js';
import type { ResolvedServerOptions } from '../contract/options.js';
import type { Envelope, Question } from '../decisions/questions.js';
import { replies } from '../decisions/replies.js';
import type { CommandReading } from './command-reading.js';

export interface CommandUnderWay {
  readonly event: ServerChartEvent;
  /** Undefined where the line is no command. */
  readonly verb?: Command['verb'];
  /** The verb of a line that is refused for its argument, or because nobody offered it. */
  readonly about?: Command['verb'] | undefined;
  /** Octets behind the line that are no command (RFC 3030 §2); none if absent. */
  readonly octetsBehind?: number;
  /** BDAT: it announces the last chunk. */
  readonly last?: boolean;
  /** What the application decides on. */
  readonly question?: Question | undefined;
  /** AUTH: the exchange that it begins. */
  readonly exchange?: Authentication;
  /** XCLIENT and XFORWARD: what is known with them. */
  readonly attributes?: ClientAttributes;
}

/** The chart's events by verb: the same each time, for a string put together anew would be hashed anew for each look into the table. */
export const commandEvents = {
  EHLO: { type: 'command.EHLO' },
  HELO: { type: 'command.HELO' },
  MAIL: { type: 'command.MAIL' },
  RCPT: { type: 'command.RCPT' },
  DATA: { type: 'command.DATA' },
  RSET: { type: 'command.RSET' },
  QUIT: { type: 'command.QUIT' },
  NOOP: { type: 'command.NOOP' },
  HELP: { type: 'command.HELP' },
  VRFY: { type: 'command.VRFY' },
  EXPN: { type: 'command.EXPN' },
  LHLO: { type: 'command.LHLO' },
  STARTTLS: { type: 'command.STARTTLS' },
  AUTH: { type: 'command.AUTH' },
  BDAT: { type: 'command.BDAT' },
  ETRN: { type: 'command.ETRN' },
  XCLIENT: { type: 'command.XCLIENT' },
  XFORWARD: { type: 'command.XFORWARD' },
  extension: { type: 'command.extension' },
} as const satisfies { readonly [Verb in Command['verb']]: { readonly type: `command.${Verb}` } };

/** A MAIL or RCPT gets these for an address in it, be it in a parameter. */
const ABOUT_ADDRESSES: ReadonlySet<Reply> = new Set([
  replies.senderNeedsUtf8,
  replies.recipientNeedsUtf8,
  malformedSubmitter,
  malformedOriginalRecipient,
]);

/** @param transaction the mail transaction that is open */
export function readCommand(
  line: InboundLine,
  reading: CommandReading,
  options: ResolvedServerOptions,
  client: ClientIdentity,
  transaction: Envelope | undefined,
): CommandUnderWay {
  const command = reading.read(line);
  if ('refusal' in command) {
    const { refusal, fatal, octetsBehind, verb, aboutAddress } = command;
    return {
      event: { type: 'badCommand', refusal, ...(fatal && { fatal }), ...(aboutAddress && { aboutAddress }) },
      octetsBehind,
      about: verb,
    };
  }
  const { verb } = command;
  const event = commandEvents[verb];
  const { type } = event;
  switch (verb) {
    case 'AUTH': {
      const exchange = beginAuthentication(command, options, client, reading.withheldMechanisms);
      if ('code' in exchange) return { event: { type, refusal: exchange }, verb };
      return { event: { type, next: exchange.next }, verb, exchange };
    }
    case 'XCLIENT':
    case 'XFORWARD': {
      const attributes = readAttributes(verb, command.argument, client);
      if ('code' in attributes) return { event: { type, refusal: attributes }, verb };
      // LOGIN, of this XCLIENT or one before: who speaks for the client says that it has authenticated itself.
      const authenticated = verb === 'XCLIENT' && typeof attributes.login === 'string';
      if (authenticated) return { event: { type, next: 'success' }, verb, attributes };
      return { event, verb, attributes };
    }
    default: {
      const question = questionOf(command, reading, transaction);
      if (question !== undefined && 'code' in question) {
        const aboutAddress = ABOUT_ADDRESSES.has(question) && { aboutAddress: true as const };
        return { event: { type, refusal: question, ...aboutAddress }, verb };
      }
      if (verb !== 'BDAT') return { event, verb, question };
      return { event, verb, octetsBehind: command.size, last: command.last, question };
    }
  }
}

/**
 * The question, or the reply that refuses the command's argument; undefined where there is nothing to decide.
 * @param transaction the mail transaction that is open; a command that belongs to one raises no question outside of it
 */
function questionOf(
  command: Command,
  reading: CommandReading,
  transaction: Envelope | undefined,
): Question | Reply | undefined {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO': {
      const { verb, name } = command;
      return { kind: 'hello', hello: { verb, name } };
    }
    case 'MAIL': {
      const read = reading.mailParameters(command);
      if ('refusal' in read) return read.refusal;
      return { kind: 'mail', reversePath: command.reversePath, parameters: read.parameters };
    }
    case 'RCPT': {
      if (transaction === undefined) return undefined;
      const read = reading.rcptParameters(command, transaction.parameters);
      if ('refusal' in read) return read.refusal;
      const { forwardPath } = command;
      return { kind: 'rcpt', forwardPath, parameters: read.parameters, envelope: transaction };
    }
    case 'DATA':
      // RFC 3030 §3
      if (transaction?.parameters.body === 'BINARYMIME') return replies.binaryByChunksOnly;
      return transaction && { kind: 'data', envelope: transaction };
    case 'BDAT':
      return transaction && { kind: 'data', envelope: transaction };
    case 'VRFY':
    case 'EXPN': {
      const kind = command.verb === 'VRFY' ? 'verify' : 'expand';
      const { argument, utf8 } = command;
      return utf8 ? { kind, argument, utf8 } : { kind, argument };
    }
    case 'HELP':
      return { kind: 'help', argument: command.argument };
    case 'STARTTLS':
      return { kind: 'startTls' };
    case 'ETRN':
      return { kind: 'etrn', argument: command.argument };
    case 'extension':
      return { kind: 'extension', verb: command.name, argument: command.argument };
    default:
      return undefined;
  }
}
