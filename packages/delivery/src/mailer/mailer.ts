/**
 * The mailer: one call from an envelope and a body to a verdict for each recipient.
 *
 * - `send()` settles when nothing of the message is under way any more: the body is closed, no connection waits for it.
 * - What the caller does wrong is thrown before anything is sent, as far as it can be seen by then: a rejection after a
 *   delivery would invite to send again what has arrived.
 */
import { setMaxListeners } from 'node:events';
import { type ClientEnvelope, checkNames, type EnvelopeInput, formatPath, namesOf } from '@sansmtp/core';
import { type Clock, heedErrors } from '@sansmtp/transport';
import { type MessageBody, openBody } from '../bodies/message-body.js';
import { apartByAlphabet } from '../groups/apart-by-alphabet.js';
import { deliverToGroup, type MessageDelivery } from '../groups/delivery.js';
import { type GroupingOptions, groupRecipients, type RecipientGroup } from '../groups/recipient-groups.js';
import { createDestination, type TlsPlan } from '../sessions/destination.js';
import { SessionPool } from '../sessions/session-pool.js';
import { whenAborted } from '../signals/shared-signal.js';
import { stopped } from '../verdicts/own-outcomes.js';
import type { Outcome, RecipientVerdict } from '../verdicts/recipient-verdict.js';
import { readWritable } from '../verdicts/unwritable-address.js';
import { type MailerOptions, resolveMailerOptions } from './mailer-options.js';

export interface SendOptions {
  /** Stops the delivery: connections of this message are dropped, and the verdicts say what is known. */
  readonly signal?: AbortSignal;
  /** Milliseconds from now until the delivery is stopped likewise. @default none */
  readonly deadline?: number;
  /**
   * Called in each mail transaction once the whole message but its end is written; the end goes out right after it resolves,
   * in the same turn. For a queue, which has to store first that the message may arrive. If it throws, the connection is dropped without
   * the end, and the recipients of the transaction and of those that would follow it are `deferred`, with what it threw as
   * `error`.
   * @param recipients to whom the message may go with that, by their places in the envelope: those whom the server has accepted
   *   in this mail transaction
   */
  readonly beforeFinalDot?: (recipients: readonly number[]) => Promise<void>;
}

const SEND_OPTIONS = namesOf<SendOptions>({ signal: true, deadline: true, beforeFinalDot: true });
const NO_OPTIONS: SendOptions = {};

/** A relay is one host. */
const ONE_PREFERENCE = [0];

export interface CloseOptions {
  /** Drops all connections: what is under way is stopped, with verdicts that say so, and `close()` resolves at once. */
  readonly signal?: AbortSignal;
}

export interface Mailer {
  /**
   * Delivers one message. Resolves with one verdict for each recipient, in the envelope's order, whatever the
   * network and the servers do, and also when it is stopped. And when the body fails (it throws, or holds what mail
   * cannot) after a server has decided about any recipient, or may have (`unknown`): the verdicts are then as they
   * are, and the other recipients are `deferred`, with what the body threw as `error`. Send to those only again.
   * @throws what the body throws, when no server has decided about anybody; nothing more of it is sent, and no
   *   transaction that it was part of is completed
   * @throws {MailDataError} the message holds a bare CR or NUL; likewise
   * @param envelope in text, `{ from: 'ann@example.org', to: ['bob@example.com'] }`, or in mailboxes
   * @throws {RangeError} the envelope has no recipient, one of them is neither a text nor a mailbox, the reverse-path is none
   *   or cannot be written, or `deadline` is negative. A recipient in text that is no address, or one that cannot be
   *   written, is `rejected` by itself (5.1.3).
   * @throws {TypeError} the envelope has other properties than `from`, `to` and `parameters`, or there is no body
   * @throws {Error} the mailer is closed
   */
  send(
    envelope: EnvelopeInput,
    body: MessageBody,
    options?: SendOptions,
  ): Promise<readonly RecipientVerdict[]>;
  /** Takes no new mail. What is under way ends, then the sessions say QUIT. Resolves when all is closed. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * @throws {RangeError} an option is out of its range
 * @throws {TypeError} options that are not known, or contradict each other, or credentials of another shape
 */
export function createMailer(options: MailerOptions = {}): Mailer {
  const {
    relay,
    grouping,
    settings,
    pool: limits,
    recipientsPerTransaction,
    clock,
  } = resolveMailerOptions(options);
  const pool = new SessionPool(limits, clock);
  const toRelay = relay && [createDestination(relay.endpoint, relay.plan, settings)];
  const toVerifiedRelay = relay && [createDestination(relay.endpoint, verifiedPlan(relay.plan), settings)];
  let underWay = 0;
  const stoppable = new Set<AbortController>();
  let closing: Promise<void> | undefined;
  let onQuiet: () => void = () => {};

  /** What goes to a relay: nothing has to be found out for it, and nobody else waited for. */
  function relayed({ recipients, parameters }: ClientEnvelope): readonly RecipientGroup[] {
    const steps = (parameters?.requireTls === true ? toVerifiedRelay : toRelay) ?? [];
    const all = { recipients: recipients.map((_, place) => place), steps, preferences: ONE_PREFERENCE };
    return apartByAlphabet(all, recipients);
  }

  async function deliver(
    envelope: ClientEnvelope,
    source: MessageBody,
    controller: AbortController | undefined,
    beforeFinalDot: SendOptions['beforeFinalDot'],
  ): Promise<RecipientVerdict[]> {
    const signal = controller?.signal;
    const outcomes: (Outcome | undefined)[] = new Array(envelope.recipients.length).fill(undefined);
    // A promise is awaited only where there is one: for a small message, each costs as much as a command.
    const opening = openBody(source, signal);
    const body = opening instanceof Promise ? await opening : opening;
    try {
      const message = { envelope, body, pool, signal, beforeFinalDot, recipientsPerTransaction, outcomes };
      try {
        if (grouping === undefined) await deliverRelayed(relayed(envelope), message, controller);
        else await deliverGrouped(grouping, message, controller);
      } finally {
        const closing = body.close();
        if (closing !== undefined) await closing;
      }
    } catch (error) {
      if (!outcomes.some((outcome) => outcome !== undefined && isOfServer(outcome))) throw error;
    }
    return envelope.recipients.map((recipient, place) => ({
      recipient,
      ...(outcomes[place] ?? stopped(signal, 'routing')),
    }));
  }

  function deliverRelayed(
    groups: readonly RecipientGroup[],
    message: MessageDelivery,
    controller: AbortController | undefined,
  ): Promise<void> {
    const [only] = groups;
    if (only !== undefined && groups.length === 1) return deliverToGroup(only, message, false);
    const deliveries = new Deliveries(controller);
    for (const each of groups) deliveries.add(deliverToGroup(each, message, true));
    return deliveries.settled();
  }

  /** Each group goes as soon as it is known where to. */
  async function deliverGrouped(
    grouping: GroupingOptions,
    message: MessageDelivery,
    controller: AbortController | undefined,
  ): Promise<void> {
    const { recipients, parameters } = message.envelope;
    const requireTls = parameters?.requireTls === true;
    const deliveries = new Deliveries(controller);
    for await (const found of groupRecipients(recipients, requireTls, grouping, message.signal)) {
      for (const [place, outcome] of found.decided) message.outcomes[place] = outcome;
      const ready = found.groups.flatMap((each) => apartByAlphabet(each, recipients));
      const several = found.more || deliveries.size + ready.length > 1;
      for (const each of ready) deliveries.add(deliverToGroup(each, message, several));
    }
    return deliveries.settled();
  }

  /** Recipients that no command can carry have their verdict already; the message goes to the others. */
  async function deliverToOthers(
    envelope: ClientEnvelope,
    decided: ReadonlyMap<number, Outcome>,
    source: MessageBody,
    controller: AbortController | undefined,
    beforeFinalDot: SendOptions['beforeFinalDot'],
  ): Promise<readonly RecipientVerdict[]> {
    const { recipients } = envelope;
    const places = [...recipients.keys()].filter((place) => !decided.has(place));
    const others = places.map((place) => recipients[place] as (typeof recipients)[number]);
    const mayEnd =
      beforeFinalDot &&
      ((accepted: readonly number[]) => beforeFinalDot(accepted.map((index) => places[index] as number)));
    const delivered = await deliver({ ...envelope, recipients: others }, source, controller, mayEnd);
    const verdicts = delivered.values();
    return recipients.map((recipient, place) => {
      const outcome = decided.get(place);
      return outcome === undefined ? (verdicts.next().value as RecipientVerdict) : { recipient, ...outcome };
    });
  }

  /** A send that hangs in what it was given, as in its body, is not waited for. */
  async function closedBy(closing: Promise<void>, signal: AbortSignal): Promise<void> {
    let release: () => void = () => {};
    const dropped = new Promise<void>((resolve) => {
      release = whenAborted(signal, () => {
        for (const controller of stoppable) controller.abort(signal.reason);
        pool.abort(signal.reason);
        resolve();
      });
    });
    await Promise.race([closing, dropped]);
    release();
  }

  return {
    async send(given, body, options = NO_OPTIONS) {
      heedErrors(body);
      checkNames('The option', options, SEND_OPTIONS);
      const { signal, deadline, beforeFinalDot } = options;
      checkSignal(signal);
      if (beforeFinalDot !== undefined && typeof beforeFinalDot !== 'function') {
        throw new TypeError('The option beforeFinalDot takes a function that returns a promise');
      }
      if (closing !== undefined) throw new Error('The mailer is closed: it takes no more mail');
      const { envelope, decided } = readWritable(given);
      check(envelope, deadline);
      // A controller costs as much as a small message, and a relay's one group has nobody else to stop.
      const isStoppable = grouping !== undefined || signal !== undefined || deadline !== undefined;
      const controller = isStoppable ? new AbortController() : undefined;
      const release = controller && stopBy(controller, signal, deadline, clock);
      if (controller !== undefined) stoppable.add(controller);
      underWay += 1;
      try {
        return await (decided === undefined
          ? deliver(envelope, body, controller, beforeFinalDot)
          : deliverToOthers(envelope, decided, body, controller, beforeFinalDot));
      } finally {
        release?.();
        if (controller !== undefined) stoppable.delete(controller);
        underWay -= 1;
        if (underWay === 0) onQuiet();
      }
    },

    close(options = {}) {
      checkNames('The option', options, ['signal']);
      const { signal } = options;
      checkSignal(signal);
      closing ??= (async () => {
        if (underWay > 0) {
          await new Promise<void>((resolve) => {
            onQuiet = resolve;
          });
        }
        await pool.close();
      })();
      return signal === undefined ? closing : closedBy(closing, signal);
    },
  };
}

/** A server has decided, or may have: to throw then would invite to send again what has arrived. */
function isOfServer({ verdict, phase, reply }: Outcome): boolean {
  return verdict === 'unknown' || (reply !== undefined && phase !== 'routing');
}

/** REQUIRETLS goes to servers only that have proven who they are (RFC 8689 §4.2.1). */
function verifiedPlan(plan: TlsPlan): TlsPlan {
  const mode = plan.mode === 'implicit' ? 'implicit' : 'required';
  return { mode, verify: true, demandedBy: 'REQUIRETLS' };
}

/** @throws {RangeError} what cannot be written in a command, or waited for */
function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new TypeError('The option signal takes an AbortSignal: new AbortController().signal');
}

function check({ reversePath }: ClientEnvelope, deadline: number | undefined): void {
  if (deadline !== undefined && !(typeof deadline === 'number' && deadline >= 0)) {
    throw new RangeError(`The option deadline is ${deadline}; it takes milliseconds of 0 or more`);
  }
  formatPath(reversePath);
}

/** Stops the delivery when the caller's signal or the deadline says so; returns what lets go of both. */
function stopBy(
  controller: AbortController,
  signal: AbortSignal | undefined,
  deadline: number | undefined,
  clock: Clock,
): () => void {
  // Every connection and every look-up of the message listens.
  setMaxListeners(0, controller.signal);
  const release = signal && whenAborted(signal, () => controller.abort(signal.reason));
  const cancelTimer =
    deadline === undefined || deadline === Number.POSITIVE_INFINITY
      ? undefined
      : clock.set(clock.now() + deadline, () => {
          const error = new Error(`The deadline of ${deadline} ms has passed`);
          controller.abort(Object.assign(error, { code: 'ETIMEDOUT' }));
        });
  return () => {
    release?.();
    cancelTimer?.();
  };
}

/** Of one message. When one throws, the others and the look-ups are stopped: their message is not whole. */
class Deliveries {
  readonly #controller: AbortController | undefined;
  readonly #all: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(controller: AbortController | undefined) {
    this.#controller = controller;
  }

  get size(): number {
    return this.#all.length;
  }

  add(delivery: Promise<void>): void {
    this.#all.push(
      delivery.catch((error: unknown) => {
        this.#failure ??= { error };
        this.#controller?.abort(error);
      }),
    );
  }

  /** Waits for all, and throws the first error. */
  async settled(): Promise<void> {
    await Promise.all(this.#all);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
