/** What happens in a session, in words for people. */
import type { Question } from '@sansmtp/core';
import { type End, otherEnd } from '../simulation/ends.js';
import type { Happening } from '../simulation/step.js';

const QUESTIONS: Readonly<Record<Question['kind'], string>> = {
  connect: 'the connection',
  hello: 'the client’s name',
  mail: 'the sender',
  rcpt: 'the recipient',
  data: 'a message',
  message: 'the message, which is now its own',
  verify: 'the inquiry',
  expand: 'the inquiry',
  help: 'the inquiry',
  startTls: 'TLS',
  credentials: 'the user',
  authenticate: 'the user',
  etrn: 'the inquiry',
  extension: 'the command',
};

const ACTS = {
  send: 'wants a message sent',
  mailData: 'hands in the message',
  inquire: 'asks something',
  quit: 'has nothing more to send',
} as const;

export function questionWords(question: string): string {
  return Object.hasOwn(QUESTIONS, question) ? QUESTIONS[question as Question['kind']] : question;
}

/** @param said what a segment completed, such as `MAIL` or `250`; empty: nothing */
export function titleOf(happening: Happening, now: number, said: readonly string[]): string {
  switch (happening.kind) {
    case 'opened':
      return 'The client connects, and the server’s application is asked whether to serve it.';
    case 'arrival': {
      const reader = otherEnd(happening.from);
      const { length, before } = happening.flight;
      const upTo = before + happening.octets.length;
      const pieces =
        length === happening.octets.length ? '' : `, octets ${before + 1} to ${upTo} of ${length}`;
      const what = said.length > 0 ? said.join(', ') : 'the beginning of a line, which says nothing yet';
      return `The ${reader} reads ${what}${pieces}.`;
    }
    case 'answer':
      return `The server’s application ${happening.decision === 'accept' ? 'accepts' : 'refuses'} ${questionWords(happening.question)}.`;
    case 'act':
      return `The client’s application ${ACTS[happening.act]}.`;
    case 'deadline':
      return `At ${duration(now)} a deadline of the ${happening.end} has passed.`;
    case 'tls':
      return happening.established
        ? 'The TLS handshake is done: from here on nobody between the two can read along.'
        : 'The TLS handshake fails.';
    case 'end':
      return `The ${happening.from} closes its side of the connection.`;
    case 'lost':
      return 'The connection is lost.';
    case 'shutdown':
      return 'The server is being shut down.';
  }
}

/** `0.206 s`, `5 min 0.2 s`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(3)} s`;
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds - minutes * 60).toFixed(0);
  if (minutes < 60) return `${minutes} min ${rest} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The last part of a state's path. */
export function stateName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** What an event is called on a map and in a list: `MAIL`, `accepted`, `2yz`. */
export function eventWords(event: string): string {
  const REPLIES: Readonly<Record<string, string>> = {
    'reply.success': 'reply 2yz',
    'reply.intermediate': 'reply 3yz',
    'reply.transient': 'reply 4yz',
    'reply.permanent': 'reply 5yz',
    'reply.221': 'reply 221',
    'reply.421': 'reply 421',
    'reply.*': 'any other reply',
    'command.*': 'any other command',
    'command.extension': 'a verb of an extension',
    badCommand: 'a line that is no command',
    endOfMailData: 'end of message',
    endOfChunk: 'end of chunk',
    peerClosed: 'the other end closes',
    connectionLost: 'the connection is lost',
    protocolError: 'octets that are no reply',
    tlsEstablished: 'TLS stands',
    tlsFailed: 'TLS fails',
    cutOff: 'a limit is reached',
    shutdown: 'the server is shut down',
  };
  const words = REPLIES[event];
  if (words !== undefined) return words;
  if (event.startsWith('command.')) return event.slice('command.'.length);
  if (event.startsWith('after ')) return `time-out: ${event.slice('after '.length)}`;
  return event;
}

export function theEnd(end: End): string {
  return end === 'client' ? 'the client' : 'the server';
}
