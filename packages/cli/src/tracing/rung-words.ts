/** What a rung of a ladder says, in words. Whatever comes from the trace is made harmless for a terminal. */
import type {
  ClosedRung,
  DecisionRung,
  GapRung,
  MailDataRung,
  StateRung,
  TlsRung,
} from '@sansmtp/charts/trace';
import { oneLine } from '../terminal.js';

const ENDINGS: Readonly<Record<string, string>> = {
  quit: 'QUIT was said',
  peerClosed: 'the peer closed without QUIT',
  lost: 'the connection was lost',
  timeout: 'time was up',
  dismissed: 'this side ended it',
  shutdown: 'the service went down',
};

export function closedText({ closed }: ClosedRung): string {
  const { ending, duration, octets_received: received, octets_sent: sent, reason } = closed;
  const how = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : oneLine(ending);
  const why = reason === undefined ? '' : ` (${oneLine(reason)})`;
  return `closed: ${how}${why}, after ${timeText(duration)}; ${received} octets in, ${sent} out`;
}

/** Undefined: a line or a reply says as much. */
export function decisionText({ decision }: DecisionRung): string | undefined {
  switch (decision.about) {
    case 'question':
      return undefined;
    case 'authentication': {
      const { mechanism, username, outcome } = decision;
      return oneLine(`AUTH ${mechanism}: ${outcome}${username === undefined ? '' : `, ${username}`}`);
    }
    case 'message': {
      const { outcome, length, reason, recipients } = decision;
      if (recipients === undefined) {
        return oneLine(`message of ${length} octets ${outcome}${reason === undefined ? '' : `: ${reason}`}`);
      }
      const verdicts = recipients.map(({ address, verdict }) => `${address} ${verdict}`);
      return oneLine(`message of ${length} octets: ${verdicts.join(', ')}`);
    }
  }
}

export function tlsText({ handshake }: TlsRung): string {
  if (handshake.outcome === 'failed')
    return `TLS failed: ${oneLine(handshake.error ?? 'for no reason given')}`;
  const { protocol, cipher, server_name: name } = handshake;
  const words = [protocol, cipher, name && `for ${name}`].filter((word) => word !== undefined);
  return `TLS established: ${oneLine(words.join(', '))}`;
}

export function mailDataText({ length, hash, complete }: MailDataRung): string {
  const digest = oneLine(hash).slice(0, 'sha256:'.length + 12);
  return `(${length} octets of mail data${complete ? '' : ', broken off'}; ${digest}…)`;
}

export function gapText({ missing }: GapRung): string {
  return `… ${missing} ${missing === 1 ? 'record is' : 'records are'} missing here`;
}

/** What no line on the wire tells; undefined: it was a line that led to this step. */
export function stepText({ event, from }: StateRung): string | undefined {
  if (event.startsWith('after ')) return `time is up: ${oneLine(event.slice('after '.length))}`;
  if (from === 'closing' || from === 'closed') return undefined;
  if (event === 'peerClosed') return 'the peer has ended its side';
  if (event === 'connectionLost') return 'the connection is gone';
  return undefined;
}

/** Short: `1.2 ms`, `12.3 s`. */
export function timeText(milliseconds: number): string {
  return milliseconds < 10_000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
