/** What a recorded session tells beside the wire. */
import type { Rung } from '@sansmtp/charts/trace';
import type { End } from '../simulation/ends.js';
import type { WireNote } from './recording.js';
import { questionWords } from './words.js';

export function noteOfRung(rung: Rung, end: End, moment: number): WireNote | undefined {
  const note = (text: string, tone: WireNote['tone'], at?: End): WireNote => ({
    kind: 'note',
    key: `note-${rung.seq}-${rung.kind}`,
    ...(at && { end: at }),
    text,
    moment,
    tone,
  });
  switch (rung.kind) {
    case 'state':
      if (rung.event === 'opened') return note('the client connects', 'ending');
      if (!rung.event.startsWith('after ')) return undefined;
      return note(`the deadline “${rung.event.slice('after '.length)}” has passed`, 'deadline', end);
    case 'decision': {
      const { decision } = rung;
      if (decision.about !== 'question') return undefined;
      const verb = decision.decision === 'accept' ? 'accept' : 'refuse';
      return note(`${verb} ${decision.subject ?? questionWords(decision.question)}`, 'decision', 'server');
    }
    case 'tls': {
      const { outcome, protocol, cipher, error } = rung.handshake;
      const how = [protocol, cipher].filter(Boolean).join(', ');
      return outcome === 'established'
        ? note(`TLS: encrypted from here on${how === '' ? '' : ` (${how})`}`, 'tls')
        : note(`TLS handshake failed${error === undefined ? '' : `: ${error}`}`, 'fault');
    }
    case 'error':
      return note(rung.error.message, 'fault', end);
    case 'gap':
      return note(`${rung.missing} records are missing here`, 'fault');
    case 'closed':
      return note(`the connection is closed (${rung.closed.ending})`, 'ending');
    case 'line':
    case 'mailData':
    case 'timer':
    case 'bytes':
      return undefined;
  }
}
