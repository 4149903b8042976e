/**
 * Both ends of one SMTP session, the link between them and the clock: the real sessions of the core, on virtual time.
 *
 * How it works
 * - `turn()` does what happens next, and says what that was. What happens next is what is due first; where two things
 *   are due at once, what arrives comes before what is decided, and that before what a deadline ends.
 * - What an end writes in one turn is one flight. It leaves when the turn is over, so that a flight is the same however
 *   the one that led to it was cut into segments.
 * - Nothing here is left to chance, so a session can be had again by doing all its turns again.
 */
import {
  type Answer,
  type ClientOutput,
  ClientSession,
  concatenate,
  type Question,
  type ServerOutput,
  type ServerProtocolEvent,
  ServerSession,
  type TlsInformation,
} from '@sansmtp/core';
import { type Choice, type Segmentation, WHOLE } from './choices.js';
import { answerOf, errandOf } from './chosen.js';
import { ENDS, type End } from './ends.js';
import { type Flight, LATENCY, Link, segmentsOf } from './link.js';
import type { Errand, Scenario } from './scenario.js';
import type { Happening, Sent, Standing, Step, Told } from './step.js';
import { octetsOf, textOf } from './text.js';

/** Milliseconds that the server's application takes to decide. */
const THINKING = 5;

/** Milliseconds between two things that the client's application does. */
const ACTING = 1;

const TLS: TlsInformation = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  channelBindings: {},
};

/** What a client hands in at a time: a chunk's worth (RFC 3030). */
const PIECE_OCTETS = 65_536;

/** More deadlines of the one end are not looked at while the other's is waited for. */
const MOST_DEADLINES = 20;

interface Candidate {
  readonly at: number;
  readonly happen: () => Happening;
}

export class World {
  readonly #scenario: Scenario;
  readonly #segmentation: Segmentation;
  readonly #client: ClientSession;
  readonly #server: ServerSession;
  readonly #link = new Link();
  readonly #errands: Errand[];
  #now = 0;

  // Of the turn under way.
  #turn = -1;
  #choice: Choice | undefined;
  #steps: Step[] = [];
  #told: Told[] = [];
  readonly #written: Record<End, Uint8Array[]> = { client: [], server: [] };

  // What is open.
  #asked: { readonly question: Question; readonly since: number } | undefined;
  /** The ends that await the TLS handshake, and since when. */
  readonly #securing = new Map<End, number>();
  /** What the client's application is to do, and since when. */
  #idle: { readonly for: 'errand' | 'mailData'; readonly since: number } | undefined;
  /** What of the message is yet to be handed in. */
  #message: Uint8Array = new Uint8Array();
  /** The ends that send nothing more, and whether the other was told. */
  readonly #ended = new Map<End, boolean>();

  constructor(scenario: Scenario, segmentation: Segmentation = WHOLE) {
    this.#scenario = scenario;
    this.#segmentation = segmentation;
    this.#errands = [...scenario.errands];
    this.#client = new ClientSession({ ...scenario.client, observe: true, now: 0 });
    this.#server = new ServerSession({ ...scenario.server, observe: true, now: 0 });
  }

  /** What happens next, a step for each segment; none: the session is over, and nothing is under way. */
  turn(choice?: Choice): readonly Step[] {
    this.#turn += 1;
    this.#steps = [];
    this.#choice = choice;
    if (this.#turn === 0) this.#step({ kind: 'opened' });
    else if (choice === undefined || !this.#choose(choice)) this.#takeNext(this.#candidates());
    const sent = this.#sendWritten();
    const last = this.#steps.pop();
    return last === undefined ? [] : [...this.#steps, { ...last, sent, standing: this.#standing }];
  }

  get #standing(): Standing {
    const underWay = (end: End): string | undefined => {
      const written = concatenate(this.#written[end]);
      const octets = this.#link.next(end)?.octets ?? written;
      return octets.length === 0 ? undefined : textOf(octets);
    };
    return {
      states: { client: this.#client.state, server: this.#server.state },
      question: this.#asked?.question.kind,
      underWay: { client: underWay('client'), server: underWay('server') },
      isSecuring: this.#securing.size > 0,
    };
  }

  /** Ends a step: both ends do all that they can. */
  #step(happening: Happening): void {
    for (let output = this.#client.poll(); output; output = this.#client.poll()) this.#doForClient(output);
    for (let output = this.#server.poll(); output; output = this.#server.poll()) this.#doForServer(output);
    this.#forgetWhatIsOver();
    this.#steps.push({
      turn: this.#turn,
      now: this.#now,
      happening,
      choice: this.#choice,
      told: this.#told,
      sent: [],
      standing: this.#standing,
    });
    this.#told = [];
  }

  /** Nobody need decide any more where the session has gone on without. */
  #forgetWhatIsOver(): void {
    if (this.#server.question === undefined) this.#asked = undefined;
    if (
      !(this.#idle?.for === 'mailData' ? this.#client.wantsMailData : this.#client.state === 'session.ready')
    ) {
      this.#idle = undefined;
    }
    if (this.#client.state !== 'session.securing') this.#securing.delete('client');
    if (this.#server.state !== 'session.securing') this.#securing.delete('server');
  }

  #takeNext(candidates: readonly Candidate[]): void {
    const [first] = candidates.toSorted((a, b) => a.at - b.at);
    if (first === undefined) return;
    this.#now = Math.max(this.#now, first.at);
    this.#step(first.happen());
  }

  #candidates(): readonly Candidate[] {
    const arrivals = ENDS.flatMap((from) => {
      const flight = this.#link.next(from);
      return flight === undefined ? [] : { at: flight.arrivesAt, happen: () => this.#arrive(flight) };
    });
    return [...arrivals, ...this.#decisions(), ...ENDS.flatMap((end) => this.#deadlineOf(end) ?? [])];
  }

  /** What the applications, and the two TLS stacks, have to do. */
  #decisions(): readonly Candidate[] {
    const candidates: Candidate[] = [];
    const asked = this.#asked;
    if (asked !== undefined) {
      const answer = this.#scenario.decide?.(asked.question) ?? { decision: 'accept' };
      candidates.push({ at: asked.since + THINKING, happen: () => this.#answer(answer) });
    }
    if (this.#securing.size === ENDS.length) {
      const at = Math.max(...this.#securing.values()) + 2 * LATENCY;
      candidates.push({ at, happen: () => this.#secure(true) });
    }
    const idle = this.#idle;
    const [errand] = this.#errands;
    if (idle?.for === 'mailData') {
      candidates.push({ at: idle.since + ACTING, happen: () => this.#handInMessage() });
    } else if (idle !== undefined && errand !== undefined) {
      const happen = () => {
        this.#errands.shift();
        return this.#run(errand);
      };
      candidates.push({ at: idle.since + (errand.after ?? ACTING), happen });
    }
    return candidates;
  }

  #deadlineOf(end: End): Candidate | undefined {
    const session = end === 'client' ? this.#client : this.#server;
    const at = session.nextDeadline();
    if (at === undefined) return undefined;
    return {
      at,
      happen: () => {
        session.handle({ type: 'timeout', now: this.#now });
        return { kind: 'deadline', end };
      },
    };
  }

  /** False: what was chosen cannot be had here. */
  #choose(choice: Choice): boolean {
    switch (choice.kind) {
      case 'delay':
        this.#link.delay(choice.from, choice.milliseconds);
        return false;
      case 'say':
        this.#link.forge(choice.from, octetsOf(choice.text), this.#now);
        this.#takeNext(this.#arrivalFrom(choice.from));
        return true;
      case 'answer':
        if (this.#asked === undefined) return false;
        this.#step(this.#answer(answerOf(choice)));
        return true;
      case 'wait':
        return this.#waitFor(choice.end);
      case 'drop':
        this.#lose();
        this.#step({ kind: 'lost' });
        return true;
      case 'close':
        this.#link.end(choice.from, this.#now);
        this.#takeNext(this.#arrivalFrom(choice.from));
        return true;
      case 'shutdown':
        this.#server.handle({ type: 'shutdown', now: this.#now });
        this.#step({ kind: 'shutdown' });
        return true;
      case 'failTls':
        if (this.#securing.size === 0) return false;
        this.#step(this.#secure(false));
        return true;
      case 'act':
        if (this.#client.state !== 'session.ready') return false;
        this.#step(this.#run(errandOf(choice.act)));
        return true;
    }
  }

  #arrivalFrom(from: End): readonly Candidate[] {
    const flight = this.#link.next(from);
    return flight === undefined ? [] : [{ at: this.#now, happen: () => this.#arrive(flight) }];
  }

  /** Lets all deadlines pass up to that end's next one, while nothing arrives and nobody decides. */
  #waitFor(end: End): boolean {
    const awaited = this.#deadlineOf(end)?.at;
    if (awaited === undefined) return false;
    const waiting = Math.max(0, awaited - this.#now);
    for (const from of ENDS) this.#link.delay(from, waiting);
    for (let count = 0; count < MOST_DEADLINES; count += 1) {
      const due = ENDS.flatMap((each) => this.#deadlineOf(each) ?? []).filter(({ at }) => at <= awaited);
      if (due.length === 0) break;
      this.#takeNext(due);
    }
    if (this.#asked !== undefined) this.#asked = { ...this.#asked, since: this.#now };
    if (this.#idle !== undefined) this.#idle = { ...this.#idle, since: this.#now };
    for (const each of this.#securing.keys()) this.#securing.set(each, this.#now);
    return true;
  }

  #arrive(flight: Flight): Happening {
    const { from, octets, forged, last } = flight;
    const now = this.#now;
    const session = from === 'client' ? this.#server : this.#client;
    this.#link.take(from);
    if (last) {
      session.handle({ type: 'eof', now });
      return { kind: 'end', from };
    }
    const segments = segmentsOf(flight, this.#segmentation);
    let before = 0;
    let happening: Happening | undefined;
    for (const segment of segments) {
      if (happening !== undefined) this.#step(happening);
      session.handle({ type: 'bytes', bytes: segment, now });
      happening = {
        kind: 'arrival',
        from,
        octets: segment,
        offset: flight.offset + before,
        flight: { length: octets.length, before },
        forged,
      };
      before += segment.length;
    }
    return happening ?? { kind: 'end', from };
  }

  #answer(answer: Answer): Happening {
    const kind = this.#asked?.question.kind ?? 'connect';
    this.#asked = undefined;
    this.#server.handle({ type: 'answer', ...answer, now: this.#now });
    return { kind: 'answer', question: kind, decision: answer.decision };
  }

  #secure(established: boolean): Happening {
    const now = this.#now;
    const outcome = established ? ({ type: 'tlsEstablished', tls: TLS, now } as const) : undefined;
    for (const end of this.#securing.keys()) {
      const session = end === 'client' ? this.#client : this.#server;
      session.handle(outcome ?? { type: 'tlsFailed', now });
    }
    this.#securing.clear();
    return { kind: 'tls', established };
  }

  #run(errand: Errand): Happening {
    const now = this.#now;
    this.#idle = undefined;
    if (errand.kind === 'send') {
      this.#message = octetsOf(errand.message);
      this.#client.handle({ type: 'send', envelope: errand.envelope, now });
    } else if (errand.kind === 'inquire') {
      this.#client.handle({ type: 'inquire', command: errand.inquiry, now });
    } else {
      this.#client.handle({ type: 'quit', now });
    }
    return { kind: 'act', act: errand.kind };
  }

  #handInMessage(): Happening {
    const now = this.#now;
    this.#idle = undefined;
    while (this.#client.wantsMailData && this.#message.length > 0) {
      const bytes = this.#message.subarray(0, PIECE_OCTETS);
      this.#message = this.#message.subarray(PIECE_OCTETS);
      this.#client.handle({ type: 'mailData', bytes, now });
      this.#told.push({ end: 'client', mailData: bytes });
    }
    if (this.#client.wantsMailData) this.#client.handle({ type: 'endOfMailData', now });
    return { kind: 'act', act: 'mailData' };
  }

  /** The connection is gone both ways. */
  #lose(): void {
    const now = this.#now;
    this.#link.cut();
    for (const end of ENDS) this.#ended.set(end, true);
    this.#client.handle({ type: 'lost', now });
    this.#server.handle({ type: 'lost', now });
  }

  #doForClient(output: ClientOutput): void {
    switch (output.type) {
      case 'write':
        this.#written.client.push(output.bytes);
        break;
      case 'event':
        if (output.event.type === 'mailDataWanted') this.#idle = { for: 'mailData', since: this.#now };
        else if (['ready', 'answered', 'done'].includes(output.event.type)) {
          this.#idle = { for: 'errand', since: this.#now };
        }
        break;
      case 'observed':
        this.#told.push({ end: 'client', event: output.event });
        break;
      default:
        this.#doForEnd('client', output.type);
    }
  }

  #doForServer(output: ServerOutput): void {
    switch (output.type) {
      case 'write':
        this.#written.server.push(output.bytes);
        break;
      case 'ask':
        this.#asked = { question: output.question, since: this.#now };
        break;
      case 'mailData':
        this.#told.push({ end: 'server', mailData: output.bytes });
        break;
      case 'observed':
        this.#told.push({ end: 'server', event: asItIs(output.event) });
        break;
      case 'abandonMailData':
      case 'authenticationDecided':
        break;
      default:
        this.#doForEnd('server', output.type);
    }
  }

  #doForEnd(end: End, wanted: 'upgradeTls' | 'compute' | 'close' | 'closed'): void {
    switch (wanted) {
      case 'upgradeTls':
        this.#securing.set(end, this.#now);
        break;
      case 'compute':
        throw new Error('There is no cryptography here: PLAIN and LOGIN do without');
      case 'close':
      case 'closed':
        if (!this.#ended.has(end)) this.#ended.set(end, false);
    }
  }

  #sendWritten(): readonly Sent[] {
    const sent: Sent[] = [];
    for (const end of ENDS) {
      const octets = concatenate(this.#written[end]);
      this.#written[end] = [];
      if (octets.length > 0) {
        const tampered = this.#scenario.tamper?.(end, textOf(octets));
        const leaving = tampered === undefined ? octets : octetsOf(tampered);
        this.#link.send(end, leaving, this.#now, tampered !== undefined);
        sent.push({ from: end, octets: leaving, ...(tampered !== undefined && { written: octets }) });
      }
      if (this.#ended.get(end) === false) {
        this.#ended.set(end, true);
        this.#link.end(end, this.#now);
      }
    }
    return sent;
  }
}

/** The envelope in a question grows with the mail transaction, and a step tells how things stood. */
function asItIs(event: ServerProtocolEvent): ServerProtocolEvent {
  if (event.type !== 'decision' || !('envelope' in event.question)) return event;
  const { envelope } = event.question;
  return {
    ...event,
    question: { ...event.question, envelope: { ...envelope, recipients: [...envelope.recipients] } },
  };
}
