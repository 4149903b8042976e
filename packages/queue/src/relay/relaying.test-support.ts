/** A relay over the embedded store on a disk in memory, on virtual time, with servers that say what a test wants them to say. */
import { type ClientRecipient, formatMailbox } from '@sansmtp/core';
import type { RecipientVerdict } from '@sansmtp/delivery';
import { createVirtualClock } from '@sansmtp/transport-memory';
import { collect, octetsOf } from '../compliance/bench.js';
import type { QueuedMessage } from '../contract/messages.js';
import type { QueueStore } from '../contract/queue-store.js';
import { SimulatedDisk } from '../embedded/disk/simulated-disk.test-support.js';
import { openStore } from '../embedded/embedded-store.js';
import type { Deliverer } from '../scheduler/routes.js';
import { createRelay, type Relay } from './relay.js';
import type { RelayOptions } from './relay-options.js';
import type { RelayEvent } from './telling/relay-events.js';

export const START = Date.UTC(2030, 0, 1);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One delivery, as a server sees it. */
export interface Sent {
  readonly at: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly parameters: object | undefined;
  /** The message, once its end was sent; and to whom it came. */
  text?: string;
  taken: readonly string[];
}

type Answer = Partial<RecipientVerdict> & Pick<RecipientVerdict, 'verdict'>;

export const DELIVERED: Answer = {
  verdict: 'delivered',
  phase: 'message',
  enhancedCode: '2.0.0',
  host: 'mx.example',
  reply: { code: 250, enhancedCode: '2.0.0', lines: ['OK'] },
  reason: 'mx.example replied: 250 2.0.0 OK',
};

export const refusedConnection: Answer = {
  verdict: 'deferred',
  phase: 'connect',
  enhancedCode: '4.4.1',
  host: 'mx.example',
  reason: 'mx.example refuses connections',
};

export function replied(
  code: number,
  enhancedCode: string,
  phase: RecipientVerdict['phase'] = 'rcpt',
): Answer {
  const verdict = code >= 500 ? 'rejected' : 'deferred';
  const reply = { code, enhancedCode, lines: ['So it is'] };
  const reason = `mx.example replied: ${code} ${enhancedCode} So it is`;
  return { verdict, phase, enhancedCode, host: 'mx.example', reply, reason };
}

/** What a server says to a recipient, `tries` counting the deliveries that it had before. */
export type Script = (address: string, tries: number, at: number) => Answer | undefined;

export class World {
  readonly clock = createVirtualClock({ settle });
  readonly sent: Sent[] = [];
  readonly events: RelayEvent[] = [];
  script: Script;
  /** Milliseconds that a delivery takes; to one domain, what `durations` says. */
  duration = 0;
  readonly durations = new Map<string, number>();
  /** Milliseconds from the end of a message to the reply. */
  replyDuration = 0;
  active = 0;
  mostActive = 0;
  readonly mostTo = new Map<string, number>();
  readonly #activeTo = new Map<string, number>();
  readonly #tries = new Map<string, number>();

  constructor(script: Script) {
    this.script = script;
  }

  now = (): number => START + this.clock.now();

  readonly mailer: Deliverer = {
    send: async (given, body, { signal, beforeFinalDot } = {}) => {
      const envelope = given as {
        reversePath: ClientRecipient | null;
        recipients: ClientRecipient[];
        parameters?: object;
      };
      const to = envelope.recipients.map(formatMailbox);
      const domain = envelope.recipients[0]?.domain ?? '';
      const from = envelope.reversePath === null ? '' : formatMailbox(envelope.reversePath);
      const sent: Sent = { at: this.clock.now(), from, to, parameters: envelope.parameters, taken: [] };
      this.sent.push(sent);
      this.#count(domain, 1);
      try {
        const duration = this.durations.get(domain) ?? this.duration;
        if (duration > 0) await this.wait(duration, signal);
        const answers = to.map((address) => {
          const tries = this.#tries.get(address) ?? 0;
          this.#tries.set(address, tries + 1);
          return this.script(address, tries, this.clock.now()) ?? DELIVERED;
        });
        let unsent: unknown;
        if (answers.some(({ phase }) => phase === 'message')) {
          const octets =
            body instanceof Uint8Array
              ? [body]
              : await collect((body as { read(): AsyncIterable<Uint8Array> }).read());
          try {
            await beforeFinalDot?.(
              [...answers.keys()].filter((place) => answers[place]?.phase === 'message'),
            );
            sent.text = Buffer.concat(octets).toString('latin1');
            sent.taken = to.filter((_, place) => {
              const { phase, verdict } = answers[place] as Answer;
              return phase === 'message' && (verdict === 'delivered' || verdict === 'unknown');
            });
          } catch (error) {
            unsent = error;
          }
          if (unsent === undefined && this.replyDuration > 0) await this.wait(this.replyDuration);
        }
        return envelope.recipients.map((recipient, place): RecipientVerdict => {
          const answer = answers[place] as Answer;
          const base = { recipient, phase: 'rcpt', enhancedCode: '4.0.0', reason: '' } as const;
          if (unsent === undefined || answer.phase !== 'message') return { ...base, ...answer };
          return { ...base, verdict: 'deferred', phase: 'message', error: unsent as Error };
        });
      } catch (error) {
        return envelope.recipients.map((recipient) => ({
          recipient,
          verdict: 'deferred',
          phase: 'connect',
          enhancedCode: '4.4.7',
          reason: 'stopped',
          error: error as Error,
        }));
      } finally {
        this.#count(domain, -1);
      }
    },
  };

  wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.set(this.clock.now() + milliseconds, resolve);
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort);
    });
  }

  relay(store: QueueStore, options: Partial<RelayOptions> = {}): Relay {
    const relay = createRelay({
      store,
      mailer: this.mailer,
      hostname: 'relay.example',
      clock: this.clock,
      now: this.now,
      random: () => 0,
      observer: (event) => this.events.push(event),
      ...options,
    });
    relay.start();
    return relay;
  }

  /** The times of the deliveries to an address. */
  triesOf(address: string): number[] {
    return this.sent.filter(({ to }) => to.includes(address)).map(({ at }) => at);
  }

  of<Type extends RelayEvent['type']>(type: Type): Extract<RelayEvent, { readonly type: Type }>[] {
    return this.events.filter(
      (event): event is Extract<RelayEvent, { readonly type: Type }> => event.type === type,
    );
  }

  #count(domain: string, change: number): void {
    this.active += change;
    this.mostActive = Math.max(this.mostActive, this.active);
    const active = (this.#activeTo.get(domain) ?? 0) + change;
    this.#activeTo.set(domain, active);
    this.mostTo.set(domain, Math.max(active, this.mostTo.get(domain) ?? 0));
  }
}

export function openDisk(disk = new SimulatedDisk('/queue'), epoch = 1): Promise<QueueStore> {
  return openStore(disk, '/queue', { epoch, reserve: 0 });
}

export const MESSAGE = 'From: ann@example.org\r\nSubject: hello\r\n\r\nHello.\r\n';

export async function* text(message = MESSAGE): AsyncGenerator<Uint8Array> {
  yield octetsOf(message);
}

export async function listed(store: QueueStore): Promise<QueuedMessage[]> {
  return collect(store.list());
}
