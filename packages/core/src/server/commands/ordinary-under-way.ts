/**
 * The ordinary commands under way (`wire/commands/ordinary-command.ts`), from their octets to the question that each raises.
 *
 * Equal to `readCommand()` of the same line, whatever was offered: without parameters, and in ASCII, nothing of these depends
 * on it. A property says so.
 */
import type { OrdinaryCommand } from '../../wire/commands/ordinary-command.js';
import type { Envelope } from '../decisions/questions.js';
import { replies } from '../decisions/replies.js';
import { type CommandUnderWay, commandEvents } from './command-under-way.js';

const NO_PARAMETERS = {};

const RESET: CommandUnderWay = { event: commandEvents.RSET, verb: 'RSET', question: undefined };
const QUIT: CommandUnderWay = { event: commandEvents.QUIT, verb: 'QUIT', question: undefined };

/** RFC 3030 §3 */
const REFUSED_DATA: CommandUnderWay = {
  event: { type: commandEvents.DATA.type, refusal: replies.binaryByChunksOnly },
  verb: 'DATA',
};

/** @param transaction the mail transaction that is open */
export function ordinaryUnderWay(
  command: OrdinaryCommand,
  transaction: Envelope | undefined,
): CommandUnderWay {
  const { verb } = command;
  switch (verb) {
    case 'MAIL': {
      const { reversePath } = command;
      const question = { kind: 'mail', reversePath, parameters: NO_PARAMETERS } as const;
      return { event: commandEvents.MAIL, verb, question };
    }
    case 'RCPT': {
      const { forwardPath } = command;
      const question = transaction && {
        kind: 'rcpt' as const,
        forwardPath,
        parameters: NO_PARAMETERS,
        envelope: transaction,
      };
      return { event: commandEvents.RCPT, verb, question };
    }
    case 'DATA': {
      if (transaction?.parameters.body === 'BINARYMIME') return REFUSED_DATA;
      const question = transaction && { kind: 'data' as const, envelope: transaction };
      return { event: commandEvents.DATA, verb, question };
    }
    case 'RSET':
      return RESET;
    case 'QUIT':
      return QUIT;
  }
}
