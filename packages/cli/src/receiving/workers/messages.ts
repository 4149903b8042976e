/** What the process that supervises and its workers say to each other. */
import type { TraceRecord } from '@sansmtp/charts/trace';
import type { ConnectionLimit } from '@sansmtp/transport-node';
import type { KeyPair } from '../certificates.js';
import type { KnownAddress, Ports } from '../listening.js';

/** What all workers have alike, and none can make for itself. */
export interface Common {
  /** Made up by `--tls-self-signed`; undefined: there is none, or it is in files. */
  readonly selfSigned: KeyPair | undefined;
  /** For the salts of users who do not exist, where no folder stores it. */
  readonly secret: Uint8Array;
  /** Whether somebody takes records of sessions. */
  readonly isRecorded: boolean;
}

/** What a worker is to do. */
export interface Orders extends Common {
  /** What all would say alike, such as a warning about an option, this one says. */
  readonly isSpokesman: boolean;
  /** Where it was any free port that was to be listened on, and which one that was is known. */
  readonly ports: Ports;
}

export type FromWorker =
  /** Its first words: it can listen to messages. */
  | { readonly type: 'hello' }
  /** It serves. */
  | { readonly type: 'ready'; readonly addresses: readonly KnownAddress[] }
  | {
      readonly type: 'enter';
      readonly question: number;
      readonly client: string | undefined;
      readonly maximum: number;
    }
  | { readonly type: 'leave'; readonly client: string | undefined }
  /** It has given back the places that it kept. */
  | { readonly type: 'placesGivenBack' }
  | { readonly type: 'loginFailed'; readonly network: string; readonly username: string }
  | { readonly type: 'record'; readonly record: TraceRecord };

export type ToWorker =
  | ({ readonly type: 'begin' } & Orders)
  | { readonly type: 'answer'; readonly question: number; readonly limit: ConnectionLimit | undefined }
  | { readonly type: 'loginFailed'; readonly network: string; readonly username: string }
  /** It is to give back the places that it keeps, and keeps none until it hears that there are many. */
  | { readonly type: 'placesAreScarce' }
  | { readonly type: 'placesAreMany' }
  | { readonly type: 'hangup' }
  | { readonly type: 'shutdown'; readonly reason: string };

/** The channel between them also has messages of others, such as prom-client's. */
export function isOurs<Message extends { readonly type: string }>(message: unknown): message is Message {
  const type: unknown = typeof message === 'object' && message !== null && Reflect.get(message, 'type');
  return typeof type === 'string' && !type.includes(':');
}
