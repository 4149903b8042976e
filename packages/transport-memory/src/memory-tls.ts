/** What a pair in memory says of its TLS: nothing is encrypted, only the order of events is that of a handshake. */
import { checkNames, namesOf } from '@sansmtp/core';
import type { ByteStream } from '@sansmtp/transport';

type TlsInformation = NonNullable<ByteStream['tls']>;

export interface MemoryTlsOptions {
  /** Protected from the start, or from the moment that both ends have called `startTls()`. */
  readonly mode: 'implicit' | 'startTls';
  /**
   * What the first stream (the second one) knows of the TLS.
   * @default TLSv1.3 without a certificate or a channel binding
   */
  readonly first?: TlsInformation;
  readonly second?: TlsInformation;
  /**
   * The handshake after `startTls()` fails: both streams close with a `TlsError`.
   * @default false
   */
  readonly failHandshake?: boolean;
}

/** The TLS of one end. */
export interface MemoryTlsEnd {
  readonly mode: 'implicit' | 'startTls';
  readonly information: TlsInformation;
  readonly failHandshake: boolean;
}

const PLAIN_INFORMATION: TlsInformation = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  channelBindings: {},
};

const OPTION_NAMES = namesOf<MemoryTlsOptions>({
  mode: true,
  first: true,
  second: true,
  failHandshake: true,
});

/**
 * @throws {RangeError} the mode is none
 * @throws {TypeError} an option is not known
 */
export function tlsEnd(options: MemoryTlsOptions, information = PLAIN_INFORMATION): MemoryTlsEnd {
  checkNames('The option', options, OPTION_NAMES, 'tls.');
  if (options.mode !== 'implicit' && options.mode !== 'startTls') {
    throw new RangeError(
      `The option tls.mode is ${JSON.stringify(options.mode)}; it takes 'implicit' or 'startTls'`,
    );
  }
  return { mode: options.mode, information, failHandshake: options.failHandshake ?? false };
}
