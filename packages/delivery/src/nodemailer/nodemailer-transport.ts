/**
 * A transport for nodemailer: `nodemailer.createTransport(sansmtpTransport({ … }))`. What nodemailer composes goes
 * out by a mailer, and results and errors have the fields that its own SMTP transport gives them.
 *
 * - Nodemailer is not needed to build or run this: what it hands over is described by its shape alone.
 * - The message is streamed; it is composed once only, when the first server wants it.
 */
import { EventEmitter } from 'node:events';
import { checkNames, MailDataError } from '@sansmtp/core';
import { complain, guarded } from '@sansmtp/transport';
import { createMailer } from '../mailer/mailer.js';
import { MAILER_OPTION_NAMES, type MailerOptions, resolveMailerOptions } from '../mailer/mailer-options.js';
import { createDestination } from '../sessions/destination.js';
import type { RecipientVerdict } from '../verdicts/recipient-verdict.js';
import { clientEnvelopeOf, type NodemailerDsn, type NodemailerEnvelope } from './nodemailer-envelope.js';
import {
  failedDelivery,
  failedOpening,
  type NodemailerError,
  nodemailerError,
  recipientError,
  responseOf,
} from './nodemailer-error.js';

export interface NodemailerTransportOptions extends MailerOptions {
  /** Milliseconds within which a message must have been delivered; what is not by then is given up. @default none */
  readonly deadline?: number;
}

/** What nodemailer hands to a transport. */
export interface NodemailerMail {
  readonly data: {
    readonly signal?: AbortSignal | undefined;
    readonly dsn?: NodemailerDsn | undefined;
    readonly requireTLSExtensionEnabled?: boolean | undefined;
  };
  readonly message: {
    getEnvelope(): NodemailerEnvelope;
    messageId(): string;
    createReadStream(): AsyncIterable<Uint8Array> & { destroy(): unknown };
  };
}

/** The result of a message that was delivered to one recipient at least. */
export interface NodemailerResult {
  /** `from` is empty for the null reverse-path. */
  readonly envelope: { readonly from: string; readonly to: string[] };
  readonly messageId: string;
  /** The recipients for whom a server took responsibility. */
  readonly accepted: string[];
  /** All others: whether it is worth to try again, `verdicts` says. */
  readonly rejected: string[];
  /** One for each of `rejected`; absent where there is none. */
  readonly rejectedErrors?: NodemailerError[];
  /** The last reply by which a server took responsibility. */
  readonly response: string;
  /** Milliseconds until a server wanted the message; connecting included, where that was needed. */
  readonly envelopeTime: number;
  /** Milliseconds from then until all was decided. */
  readonly messageTime: number;
  /** Octets of the message as it was composed. */
  readonly messageSize: number;
  /** One for each recipient, in the order of `envelope.to`. */
  readonly verdicts: readonly RecipientVerdict[];
}

/** What nodemailer takes for a transport. */
export interface NodemailerTransport {
  readonly name: string;
  readonly version: string;
  /** `send` heeds the `signal` of a message. */
  readonly supportsAbortSignal: true;
  send(
    mail: NodemailerMail,
    callback: (error: NodemailerError | null, result?: NodemailerResult) => void,
  ): void;
  /**
   * Opens a session with the relay, authentication included, and ends it. Without a relay there is nothing to verify.
   * @returns without a callback: rejects with a `NodemailerError` when the session cannot be opened
   */
  verify(callback?: (error: NodemailerError | null, success?: true) => void): Promise<true> | undefined;
  /**
   * Whether a message would be sent at once: fewer are under way than there may be connections (`pool`). While it is so,
   * a program with many messages sends the next one, and then waits for `idle`.
   */
  isIdle(): boolean;
  /**
   * `idle` comes once it may be listened to, and each time that `isIdle()` has become true; nodemailer's transporter
   * passes it on. There is no other event.
   */
  on(event: string | symbol, listener: (...args: unknown[]) => void): this;
  /** Takes no new mail. What is under way ends, then the sessions say QUIT. */
  close(): void;
}

/** When the body was first asked for, and how much of it there was. */
interface Reading {
  begun: number | undefined;
  octets: number;
}

/**
 * A transport that delivers by `createMailer(options)`: to the mail exchangers of each recipient, or to `relay`.
 * Call `close()` of nodemailer's transporter when no more mail is to be sent.
 *
 * A message is sent if one recipient at least was `delivered`; the others stand in `rejected`, those who are worth a
 * retry included. Credentials are the transport's: `auth` of a message is not looked at.
 * @throws as `createMailer` does
 */
export function sansmtpTransport(options: NodemailerTransportOptions = {}): NodemailerTransport {
  checkNames('The option', options ?? {}, [...MAILER_OPTION_NAMES, 'deadline']);
  const { deadline, ...mailerOptions } = options ?? {};
  if (deadline !== undefined && !(typeof deadline === 'number' && deadline >= 0)) {
    throw new RangeError(`The option deadline is ${String(deadline)}; it takes milliseconds of 0 or more`);
  }
  const mailer = createMailer(mailerOptions);
  const events = new EventEmitter();
  const capacity = messagesAtOnce(mailerOptions);
  let underWay = 0;
  let closed = false;
  const isIdle = (): boolean => !closed && underWay < capacity;
  const tellIdle = (): void => {
    for (const listener of events.listeners('idle')) {
      guarded(
        () => listener(),
        (thrown) => complain('A listener of idle', thrown),
      );
    }
  };
  setImmediate(() => {
    if (isIdle()) tellIdle();
  });

  async function deliver({ data, message }: NodemailerMail): Promise<NodemailerResult> {
    const { signal } = data;
    const envelope = message.getEnvelope();
    const sent = clientEnvelopeOf(envelope, data);
    const messageId = message.messageId();
    const reading: Reading = { begun: undefined, octets: 0 };
    const start = performance.now();
    const verdicts = await mailer
      .send(sent, bodyOf(message, reading), {
        ...(signal && { signal }),
        ...(deadline !== undefined && { deadline }),
      })
      .catch((error: unknown) => {
        throw asNodemailerError(error);
      });
    const end = performance.now();

    const { from, to } = envelope;
    const delivered = verdicts.findLast(({ verdict }) => verdict === 'delivered');
    if (delivered?.reply === undefined) {
      if (signal?.aborted) throw aborted(signal);
      throw failedDelivery(verdicts, to);
    }
    const accepted = to.filter((_, index) => verdicts[index]?.verdict === 'delivered');
    const rejectedErrors = verdicts.flatMap((verdict, index) =>
      verdict.verdict === 'delivered' ? [] : [recipientError(verdict, to[index] ?? '')],
    );
    const begun = reading.begun ?? end;
    return {
      envelope: { from: from || '', to },
      messageId,
      accepted,
      rejected: rejectedErrors.map(({ recipient = '' }) => recipient),
      ...(rejectedErrors.length > 0 && { rejectedErrors }),
      response: responseOf(delivered.reply),
      envelopeTime: Math.round(begun - start),
      messageTime: Math.round(end - begun),
      messageSize: reading.octets,
      verdicts,
    };
  }

  return {
    name: 'sansmtp',
    version: '0.1.0',
    supportsAbortSignal: true,
    send(mail, callback) {
      underWay += 1;
      const settle = (error: NodemailerError | null, result?: NodemailerResult): void => {
        const wasIdle = isIdle();
        underWay -= 1;
        guarded(
          () => callback(error, result),
          (thrown) => complain('The callback of send', thrown),
        );
        // What is sent meanwhile may have taken the room.
        if (!wasIdle && isIdle()) tellIdle();
      };
      deliver(mail).then((result) => settle(null, result), settle);
    },
    isIdle,
    on(event, listener) {
      events.on(event, listener);
      return this;
    },
    verify(callback) {
      const verified = verify(mailerOptions);
      if (callback === undefined) return verified;
      const settle = (error: NodemailerError | null, success?: true): void =>
        guarded(
          () => callback(error, success),
          (thrown) => complain('The callback of verify', thrown),
        );
      verified.then(() => settle(null, true), settle);
      return undefined;
    },
    close() {
      closed = true;
      void mailer.close();
    },
  };
}

/** All mail to a relay is for one host. */
function messagesAtOnce(options: MailerOptions): number {
  const { relay, pool } = resolveMailerOptions(options);
  return relay === undefined ? pool.connections : Math.min(pool.connections, pool.connectionsPerHost);
}

async function verify(options: MailerOptions): Promise<true> {
  const { relay, settings } = resolveMailerOptions(options);
  if (relay === undefined) return true;
  const destination = createDestination(relay.endpoint, relay.plan, settings);
  try {
    const connection = await destination.open(undefined, () => {});
    await connection.quit();
    return true;
  } catch (error) {
    throw failedOpening(error);
  }
}

/**
 * Nothing is composed before it is asked for: a message that is never wanted must not open what is attached. No
 * generator, whose `return()` would wait for an attachment that hangs.
 */
function bodyOf(message: NodemailerMail['message'], reading: Reading): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      let stream: ReturnType<typeof message.createReadStream> | undefined;
      let iterator: AsyncIterator<Uint8Array> | undefined;
      return {
        async next() {
          reading.begun ??= performance.now();
          try {
            stream ??= message.createReadStream();
            iterator ??= stream[Symbol.asyncIterator]();
            const result = await iterator.next();
            if (!result.done) reading.octets += result.value.length;
            return result;
          } catch (error) {
            throw relabelled(error, 'ESTREAM', 'API');
          }
        },
        async return() {
          stream?.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function asNodemailerError(error: unknown): NodemailerError {
  if (error instanceof MailDataError) return relabelled(error, 'EMESSAGE', 'DATA');
  // The body's own.
  if (error instanceof Error && 'code' in error && 'command' in error) return error as NodemailerError;
  return relabelled(error, error instanceof RangeError ? 'EENVELOPE' : 'ECONNECTION', 'API');
}

/** The same error, for what it says beside must not be lost; nodemailer, too, writes on the errors that it meets. */
function relabelled(thrown: unknown, code: string, command: string): NodemailerError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const originalCode = 'code' in error && typeof error.code === 'string' ? { originalCode: error.code } : {};
  return Object.assign(error, { ...originalCode, code, command });
}

function aborted(signal: AbortSignal): NodemailerError {
  const error = nodemailerError('Message sending aborted', { code: 'EABORT' }, { cause: signal.reason });
  error.name = 'AbortError';
  return error;
}
