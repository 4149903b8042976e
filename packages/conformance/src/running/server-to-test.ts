/** How a server under test is reached: over a port, or any byte stream. */
import type { ByteStream, Clock } from '@sansmtp/transport';
import type { Credentials, StoredTestMessage } from '../contract/target.js';
import { waitingClock } from './waiting-clock.js';

export interface ServerToTest {
  /** Connects. For STARTTLS to be judged, the stream has to be made for it (`canStartTls`). */
  readonly connect: () => ByteStream | Promise<ByteStream>;
  /** Connects to the port with TLS from the first octet on (RFC 8314). @default none: cases that need it are skipped */
  readonly connectTls?: () => ByteStream | Promise<ByteStream>;
  /** @default 'smtp' */
  readonly protocol?: 'smtp' | 'lmtp';
  /** Reverse-path of the test messages, a mailbox. @default 'probe@probe.invalid' */
  readonly from?: string;
  /**
   * Who receives the test messages: a mailbox that the server takes mail for.
   * @default the postmaster of the domain that the server names in its reply to EHLO
   */
  readonly to?: string;
  /** @default none: cases that need them are skipped */
  readonly credentials?: Credentials;
  /**
   * The messages that the server has stored since this was last called, in order. With it, what becomes of a message is
   * judged as well. @default none: cases that need it are skipped
   */
  readonly received?: () => readonly StoredTestMessage[] | Promise<readonly StoredTestMessage[]>;
  /** The name in EHLO. @default 'probe.invalid' */
  readonly hostname?: string;
  /** @default real time */
  readonly clock?: Clock;
  /** Milliseconds within which a reply has to come. @default 20000 */
  readonly replyTime?: number;
  /**
   * Milliseconds of silence that show that nothing more comes, at least: four times the slowest reply of late, if that is more,
   * and half of `replyTime` at most. @default 300
   */
  readonly quietTime?: number;
  /** Milliseconds between two logins with a wrong password. @default 30000 */
  readonly betweenWrongLogins?: number;
  /** Connections a second at most. @default no limit */
  readonly connectionsPerSecond?: number;
}

export interface KnownServer
  extends Required<Omit<ServerToTest, 'connectTls' | 'credentials' | 'received' | 'to'>> {
  readonly to: string | undefined;
  readonly received: ServerToTest['received'];
  readonly connectTls: ServerToTest['connectTls'];
  readonly credentials: Credentials | undefined;
}

export function withDefaults(server: ServerToTest): KnownServer {
  return {
    protocol: 'smtp',
    from: 'probe@probe.invalid',
    to: undefined,
    hostname: 'probe.invalid',
    clock: waitingClock,
    replyTime: 20_000,
    quietTime: 300,
    betweenWrongLogins: 30_000,
    connectionsPerSecond: Number.POSITIVE_INFINITY,
    connectTls: undefined,
    credentials: undefined,
    received: undefined,
    ...server,
  };
}
