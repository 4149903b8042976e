/**
 * What is counted of sessions. Labels have few values each (a listener's kind, an outcome, a kind of question), so that no
 * client can make the series grow.
 */
import type { ServerObserver } from '@sansmtp/transport';
import type * as Prometheus from 'prom-client';

/** Seconds: from a reply that only memory is asked for, to a message on a slow disk. */
const DECISION_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];
const SESSION_BUCKETS = [0.1, 1, 10, 60, 300, 3600];

/** @param sessions how many are served now */
export function sessionMetrics(
  { Counter, Gauge, Histogram }: typeof Prometheus,
  registry: Prometheus.Registry,
  sessions: () => number,
): ServerObserver {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `sansmtp_${name}_total`, help, labelNames, registers });

  new Gauge({
    name: 'sansmtp_sessions',
    help: 'Sessions that are served now',
    registers,
    collect() {
      this.set(sessions());
    },
  });
  const ended = counter('sessions_ended', 'Sessions that have ended, and how', ['listener', 'ending']);
  const lasted = new Histogram({
    name: 'sansmtp_session_seconds',
    help: 'How long sessions lasted',
    labelNames: ['listener'],
    buckets: SESSION_BUCKETS,
    registers,
  });
  const messages = counter('messages', 'Messages that came to their end, and what became of them', [
    'listener',
    'outcome',
  ]);
  const octets = counter('message_octets', 'Octets of the messages that were accepted', ['listener']);
  const decided = new Histogram({
    name: 'sansmtp_decision_seconds',
    help: 'How long a client waited for what was decided; message: from its final dot until it was safe',
    labelNames: ['question'],
    buckets: DECISION_BUCKETS,
    registers,
  });
  const refusals = counter('refusals', 'Recipients and commands refused, and sessions ended, by 4yz or 5yz', [
    'refused',
    'class',
  ]);
  const authentications = counter('authentications', 'AUTH exchanges, and how they ended', ['outcome']);
  const handshakes = counter('tls_handshakes', 'TLS handshakes', ['outcome']);
  const excess = counter('connections_refused', 'Connections beyond a limit', ['limit']);

  return {
    closed({ ending, duration }, { listener = '' }) {
      ended.inc({ listener, ending });
      lasted.observe({ listener }, duration / 1000);
    },
    message({ outcome, size }, { listener = '' }) {
      messages.inc({ listener, outcome });
      if (outcome === 'accepted') octets.inc({ listener }, size);
    },
    decision: ({ question, waited }) => decided.observe({ question: question.kind }, waited / 1000),
    refusal: ({ refused, reply }) => refusals.inc({ refused, class: reply.code < 500 ? '4' : '5' }),
    authentication: ({ outcome }) => authentications.inc({ outcome }),
    tls: ({ outcome }) => handshakes.inc({ outcome }),
    excess: ({ limit }) => excess.inc({ limit }),
  };
}
