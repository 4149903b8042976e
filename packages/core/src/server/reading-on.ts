/**
 * What the client sent, read on: a command, a response of an AUTH exchange, some mail data, or octets that are to be read
 * away. One at a time, and only where the chart waits for it.
 *
 * - The peer's bytes become commands only when the chart waits for one. While the application decides, and while the session
 *   closes, no further command is looked at.
 * - Octets that BDAT announces are never taken for commands: the reply to a BDAT that is refused waits until they were read
 *   away, and where nobody can tell how many they are, the session ends. None of them is stored.
 * - The end of the peer's bytes, and a shutdown, come when all that was sent before has been looked at.
 */
import { MAXIMUM_AUTHENTICATION_OCTETS } from '../wire/commands/command.js';
import type { OrdinaryCommand } from '../wire/commands/ordinary-command.js';
import { beginsTls, type ForeignProtocol, foreignProtocolOf } from '../wire/foreign-protocol.js';
import type { InboundLine } from '../wire/inbound.js';
import { NOTHING } from '../wire/octets.js';
import type { Reply } from '../wire/replies/reply.js';
import type { ServerChartEvent } from './chart/chart-events.js';
import { readResponse } from './client/authentication.js';
import { type CommandUnderWay, readCommand } from './commands/command-under-way.js';
import { ordinaryUnderWay } from './commands/ordinary-under-way.js';
import { malformedMessage, replies } from './decisions/replies.js';
import type { Dialogue } from './dialogue.js';
import type { Receiving } from './mail-data/receiving.js';
import { cutOff, step } from './stepping.js';

const END_OF_MAIL_DATA = { type: 'endOfMailData' } as const;

/** Does one thing with what is held; false if nothing can be done before the session is told of something else. */
export function readOn(dialogue: Dialogue): boolean {
  const state = dialogue.position.value;
  if (!dialogue.wantsInput) return false;
  if (state === 'closing' || state === 'session.securing') return endOfInput(dialogue);
  if (dialogue.time.isOver && dialogue.isBetweenTransactions) return cutOff(dialogue, replies.sessionTooLong);
  if (dialogue.giving.replying.isHeld) return readAway(dialogue);
  const { receiving } = dialogue;
  if (receiving !== undefined && state !== 'session.transaction.chunked') {
    return receiveMailData(dialogue, receiving);
  }
  if (dialogue.shutdown && receiving === undefined) return step(dialogue, { type: 'shutdown' });
  if (dialogue.heldOctets === 0) return endOfInput(dialogue);
  return state === 'session.authenticating.challenged' ? takeResponse(dialogue) : takeCommand(dialogue);
}

/** All that the peer sent has been looked at. */
function endOfInput(dialogue: Dialogue): boolean {
  return dialogue.ended && step(dialogue, { type: 'peerClosed' });
}

function takeResponse(dialogue: Dialogue): boolean {
  const line = dialogue.inbound.nextLine(MAXIMUM_AUTHENTICATION_OCTETS);
  if (line === undefined) return endOfInput(dialogue);
  dialogue.observing?.response(line);
  const protocol = foreignProtocolOf(line);
  if (protocol !== undefined) return refuseProtocol(dialogue, protocol);
  return step(dialogue, readResponse(line, dialogue.exchange));
}

function takeCommand(dialogue: Dialogue): boolean {
  const { inbound } = dialogue;
  // Who wants to know of commands is shown the line.
  if (dialogue.observing?.wants('command') !== true) {
    const { length } = inbound;
    const command = inbound.nextOrdinaryCommand(dialogue.options.maximumCommandLength);
    if (command !== undefined) return takeOrdinary(dialogue, command, length - inbound.length);
  }
  const line = inbound.nextLine(dialogue.prepared.commandRules.longestLine);
  if (line !== undefined) return takeLine(dialogue, line);
  if (inbound.length > 1 && beginsTls(inbound.nextChunk())) return refuseProtocol(dialogue, 'TLS');
  return endOfInput(dialogue);
}

function takeLine(dialogue: Dialogue, line: InboundLine): true {
  const { reading, options, client, transaction, junk } = dialogue;
  const command = readCommand(line, reading, options, client, transaction);
  dialogue.observing?.command(line, command, dialogue.state);
  begin(dialogue, command, line.kind === 'line' && line.endsInBareLineFeed === true);
  const { event, verb, about } = command;
  if (event.type === 'badCommand') {
    const protocol = foreignProtocolOf(line);
    if (protocol !== undefined) return refuseProtocol(dialogue, protocol);
  }
  if ('aboutAddress' in event) {
    return stepUnless(junk.refuse((about ?? verb) === 'MAIL' ? 'mail' : 'rcpt'), dialogue, event);
  }
  return event.type === 'badCommand' ? step(dialogue, event) : proceed(dialogue, command);
}

/** What `takeLine` does with a command that is ordinary. */
function takeOrdinary(dialogue: Dialogue, ordinary: OrdinaryCommand, length: number): true {
  const command = ordinaryUnderWay(ordinary, dialogue.transaction);
  dialogue.observing?.ordinary(length, command, dialogue.state);
  begin(dialogue, command, false);
  return proceed(dialogue, command);
}

function begin(dialogue: Dialogue, command: CommandUnderWay, endsInBareLineFeed: boolean): void {
  const { verb, about = verb, octetsBehind = 0 } = command;
  dialogue.command = command;
  dialogue.commandCount += 1;
  dialogue.giving.verb = about;
  dialogue.giving.replying.expect(octetsBehind);
  dialogue.afterBareLineFeed = endsInBareLineFeed;
}

/** The command is well-formed, and there for this client. */
function proceed(dialogue: Dialogue, { verb, event }: CommandUnderWay): true {
  const { junk } = dialogue;
  const excess = verb === 'RCPT' && dialogue.isFull ? junk.refuse('rcpt') : junk.take(verb);
  return stepUnless(excess, dialogue, event);
}

/** @param excess the reply that ends the session, if a limit is exceeded by this */
function stepUnless(excess: Reply | undefined, dialogue: Dialogue, event: ServerChartEvent): true {
  return excess === undefined ? step(dialogue, event) : cutOff(dialogue, excess);
}

/** What follows would be taken for commands, though it is none. */
function refuseProtocol(dialogue: Dialogue, protocol: ForeignProtocol): true {
  dialogue.foreignProtocol = protocol;
  return cutOff(dialogue, protocol === 'HTTP' ? replies.httpRequest : replies.tlsInTheClear);
}

/** Reads the octets of a refused BDAT away, then gives the reply (RFC 3030 §2). */
function readAway(dialogue: Dialogue): boolean {
  const { inbound, giving } = dialogue;
  const chunk = inbound.nextChunk();
  if (chunk === undefined) return endOfInput(dialogue);
  const octets = giving.replying.readAway(chunk.length);
  inbound.consume(octets);
  dialogue.time.earn(octets);
  dialogue.restartDeadlines();
  giving.giveHeld();
  return true;
}

function receiveMailData(dialogue: Dialogue, receiving: Receiving): boolean {
  const { inbound, giving, time } = dialogue;
  const chunk = receiving.isComplete ? NOTHING : inbound.nextChunk();
  if (chunk === undefined) return endOfInput(dialogue);
  dialogue.restartDeadlines();

  const flawBefore = receiving.flaw;
  const { data, consumed, ended } = receiving.take(chunk);
  inbound.consume(consumed);
  time.earn(consumed);
  const { flaw, last } = receiving;
  if (flaw !== undefined && flawBefore === undefined) giving.emit({ type: 'abandonMailData', reason: flaw });
  else if (data.length > 0) giving.emit({ type: 'mailData', bytes: data });
  if (!ended) return true;

  if (last !== false) {
    time.readOn();
    dialogue.junk.endMessage();
  }
  if (last === undefined && flaw === undefined) return step(dialogue, END_OF_MAIL_DATA);
  const found = flaw === undefined ? {} : { flaw, refusal: refusalFor(dialogue, receiving) };
  if (last === undefined) return step(dialogue, { type: 'endOfMailData', ...found });
  return step(dialogue, { type: 'endOfChunk', last, ...found });
}

function refusalFor({ options }: Dialogue, { flaw, lineFlaw }: Receiving): Reply {
  if (flaw === 'tooLarge' || lineFlaw === undefined) return replies.mailDataTooLarge;
  return malformedMessage(lineFlaw, options.maximumTextLineLength);
}
