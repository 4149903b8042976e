/** What happens beside the wire, in a few words. */
import type { Step } from '../simulation/step.js';
import type { Moment, WireNote } from './recording.js';
import { duration, questionWords } from './words.js';

const ACTS = {
  send: 'a message is to be sent',
  mailData: 'here is the message',
  inquire: 'an inquiry',
  quit: 'nothing more to send',
} as const;

export function noteOf({ happening }: Step, moment: number, { rungs, time }: Moment): WireNote {
  const note = (text: string, tone: WireNote['tone'], end?: WireNote['end']): WireNote => ({
    kind: 'note',
    key: `note-${moment}`,
    ...(end && { end }),
    text,
    moment,
    tone,
  });
  switch (happening.kind) {
    case 'opened':
      return note('the client connects', 'ending');
    case 'answer': {
      const subject = rungs.server.flatMap((rung) =>
        rung.kind === 'decision' && rung.decision.about === 'question' ? (rung.decision.subject ?? []) : [],
      );
      const verb = happening.decision === 'accept' ? 'accept' : 'refuse';
      return note(`${verb} ${[...subject, questionWords(happening.question)][0]}`, 'decision', 'server');
    }
    case 'act':
      return note(ACTS[happening.act], 'decision', 'client');
    case 'deadline': {
      const { end } = happening;
      const names = rungs[end].flatMap((rung) =>
        rung.kind === 'state' && rung.event.startsWith('after ') ? rung.event.slice('after '.length) : [],
      );
      const name = names[0] === undefined ? 'a deadline' : `the deadline “${names[0]}”`;
      return note(`${duration(time)}: ${name} has passed`, 'deadline', end);
    }
    case 'tls':
      return note(
        happening.established ? 'TLS handshake: encrypted from here on' : 'TLS handshake failed',
        'tls',
      );
    case 'end':
      return note('closes its side', 'ending', happening.from);
    case 'lost':
      return note('the connection is lost', 'fault');
    case 'shutdown':
      return note('is being shut down', 'fault', 'server');
    case 'arrival':
      return note('', 'ending');
  }
}
